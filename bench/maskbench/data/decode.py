"""Many images of one source, decoded into one array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from maskbench.data.pixels import Picture, Unreadable, read_pixels, without_remarks
from maskbench.data.source import RawImages, unreadable
from maskbench.errors import UsageError
from maskbench.parallel import map_ranges


@dataclass(frozen=True)
class Decoded:
    """Decoded images: uint8 ``(N, C, H, W)``, and how many of them each conversion rule met."""

    pixels: np.ndarray
    notes: list[str]


def decode(images: RawImages, rows: Sequence[int], size: int | None) -> Decoded:
    """Decode `rows` (at least one), each as `maskbench.data.pixels.read_pixels` does.

    Without `size` all images must have the same one.

    Raises:
        UsageError: an image cannot be read, or the sizes differ and `size` is None.
    """
    side = size or images.enlarge_to
    with without_remarks():
        first = _read(images, rows[0], side)
        height, width = first.pixels.shape[1:]
        pixels = np.empty((len(rows), 3, height, width), dtype=np.uint8)

        def fill(part: range) -> tuple[bool, Counter[str]]:
            all_grey, met = True, Counter[str]()
            for place in part:
                picture = _read(images, rows[place], side)
                if picture.pixels.shape[1:] != (height, width):
                    raise UsageError(
                        f"The images differ in size: {width}×{height} in {images.where(rows[0])}, "
                        f"{picture.pixels.shape[2]}×{picture.pixels.shape[1]} in {images.where(rows[place])}. "
                        "Pass --size, for example --size 64, to bring them to one."
                    )
                pixels[place] = picture.pixels  # one channel is spread over three
                all_grey &= len(picture.pixels) == 1
                met.update(picture.rules)
            return all_grey, met

        parts = map_ranges(fill, len(rows))
    met = Counter(chain.from_iterable(counts.elements() for _, counts in parts))
    notes = [f"{count} of {len(rows)} images: {rule}." for rule, count in sorted(met.items())]
    if all(grey for grey, _ in parts):
        return Decoded(np.ascontiguousarray(pixels[:, :1]), notes)
    return Decoded(pixels, notes)


def _read(images: RawImages, row: int, side: int | None) -> Picture:
    found = read_pixels(partial(images.open, row), side)
    if isinstance(found, Unreadable):
        raise unreadable(f"the image {images.where(row)}", found.reason)
    return found
