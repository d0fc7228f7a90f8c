"""What every kind of source offers: its images one after the other, their labels, and a release of the same form."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskbench.data.source import LabelTable
from maskbench.releasing.output import Output
from maskbench.releasing.pictures import Entry
from maskbench.releasing.releasing import Released

Release = Callable[[Sequence[Entry]], list[Released]]
"""From images of the source to released ones, in their order."""


class ImageSource(ABC):
    """The images of ``SRC``.

    Attributes:
        root: the folder or file.
        total: how many images it has.
        chosen: int64, sorted: the places of those that are used.
        not_used: what else lies there and is not released, for the manifest.
    """

    root: Path
    total: int
    chosen: np.ndarray
    not_used: dict[str, Any]

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """The chosen images, in order."""

    @abstractmethod
    def labels(self) -> tuple[LabelTable | None, str]:
        """The label columns of all images; or None, and why there are none."""

    @abstractmethod
    def check(self, masks: bool, sensitive: str | None) -> None:
        """Raise UsageError where names would clash, or a column named as sensitive is not there to be left out."""

    @abstractmethod
    def release(
        self, release: Release, output: Output, *, size: int | None, masks: bool, advance: Callable[[int], None]
    ) -> set[str]:
        """Release the images that are not done yet; return the names of all files there are.

        Args:
            size: as for ``chunks``.
            masks: whether masks are written, where the method has them.
            advance: told how many more images are done.
        """


def spread(total: int, limit: int | None) -> np.ndarray:
    """Places of at most ``limit`` of ``total`` images, in even steps, so that sorted classes get their share."""
    if limit is None or limit >= total:
        return np.arange(total)
    return np.arange(limit) * total // limit


def png(pixels: np.ndarray) -> bytes:
    """Encode uint8 C H W or H W without loss. The file has the pixels and nothing else."""
    if pixels.ndim == 3:
        pixels = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, format="PNG")
    return stream.getvalue()
