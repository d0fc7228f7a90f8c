"""What every kind of source offers: its images one after the other, their labels, and a release of the same form."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from maskbench.data.source import LabelTable
from maskbench.releasing.apply import ReleasedImage
from maskbench.releasing.output import Output
from maskbench.releasing.pictures import Entry

Apply = Callable[[Sequence[Entry]], list[ReleasedImage]]
"""From images of the source to released ones, in their order."""


@dataclass(frozen=True)
class Writing:
    """How a release is written.

    Attributes:
        size: as for ``chunks``.
        masks: whether masks are written, where the method has them.
        numbers: image → its number, in place of its name; None where names leave.
        soft_labels: whether what the teacher says of an image is written, where the method hands it out.
    """

    size: int | None
    masks: bool
    numbers: Mapping[str, str] | None
    soft_labels: bool = False


class ImageSource(ABC):
    """The images of ``SRC``.

    Attributes:
        root: the folder or file.
        total: how many images it has.
        chosen: int64, sorted: the places of those that are used.
        names: of the images that are used, where they are files that can be renamed; else empty.
        soft_labels: the file or column that soft labels are written to.
        not_used: what else lies there and is not released, for the manifest.
    """

    soft_labels: ClassVar[str]
    root: Path
    total: int
    chosen: np.ndarray
    names: Sequence[str]
    not_used: dict[str, Any]

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """The chosen images, in order."""

    @abstractmethod
    def labels(self) -> tuple[LabelTable | None, str]:
        """The label columns of all images; or None, and why there are none."""

    @abstractmethod
    def check(self, masks: bool, sensitive: str | None, soft_labels: bool) -> None:
        """Raise UsageError where names would clash, or a column named as sensitive is not there to be left out."""

    @abstractmethod
    def release(self, apply: Apply, output: Output, writing: Writing, advance: Callable[[int], None]) -> set[str]:
        """Release the images that are not done yet; return the names of the records there are.

        Args:
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
