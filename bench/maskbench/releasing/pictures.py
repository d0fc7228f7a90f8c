"""The images of a source, read in chunks that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from maskbench.data.pixels import Unreadable, read_area, read_pixels, without_remarks
from maskbench.parallel import usable_cores

_CHUNK_IMAGES = 256
_CHUNK_PIXELS = 2**22  # some 50 MB as float32 with three channels, and a few times that inside a method


@dataclass(frozen=True)
class Entry:
    """An image of the source that is not decoded yet.

    Attributes:
        name: what it is called in the source, for people.
        open: opens it, as ``read_pixels`` wants it.
    """

    name: str
    open: Callable[[], Image.Image]


@dataclass(frozen=True)
class NamedPicture:
    """A decoded image, or the reason why it could not be.

    Attributes:
        pixels: uint8 ``(C, H, W)``, C = 1 for an image without colour, else 3; None with an error.
        rules: the conversion rules it met.
        error: why it cannot be used.
    """

    name: str
    pixels: np.ndarray | None
    rules: tuple[str, ...] = ()
    error: str | None = None


def chunks(entries: Iterable[Entry], size: int | None) -> Iterator[list[Entry]]:
    """Group consecutive images that fit into memory together. The groups depend on nothing but the images."""
    chunk: list[Entry] = []
    total = 0
    for entry in entries:
        area = size * size if size else _area(entry)
        if chunk and (len(chunk) == _CHUNK_IMAGES or total + area > _CHUNK_PIXELS):
            yield chunk
            chunk, total = [], 0
        chunk.append(entry)
        total += area
    if chunk:
        yield chunk


def decode(entries: Sequence[Entry], size: int | None) -> list[NamedPicture]:
    """Decode images by the rules of ``read_pixels``; one that cannot be read comes back with the reason."""
    with without_remarks(), ThreadPoolExecutor(usable_cores()) as pool:
        return list(pool.map(lambda entry: _decode(entry, size), entries))


def _decode(entry: Entry, size: int | None) -> NamedPicture:
    found = read_pixels(entry.open, size)
    if isinstance(found, Unreadable):
        return NamedPicture(entry.name, None, error=found.reason)
    return NamedPicture(entry.name, found.pixels, found.rules)


def _area(entry: Entry) -> int:
    with without_remarks():
        return read_area(entry.open)
