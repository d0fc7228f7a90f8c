"""From a stored image to 8-bit pixels: one stated rule for each odd kind."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from PIL import ExifTags, Image, ImageOps

from maskbench.data.source import RawImages
from maskbench.errors import UsageError
from maskbench.parallel import map_ranges

_LARGEST_16_BIT = 65535
_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"}

# What Pillow raises on damaged files, format by format; an OSError also covers a missing file.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True)
class Decoded:
    """Decoded images: uint8 N C H W, and how many of them each conversion rule met."""

    pixels: np.ndarray
    notes: list[str]


def decode(images: RawImages, rows: Sequence[int], size: int | None) -> Decoded:
    """Decode `rows` (at least one), each by the rules of `to_rgb`, to `size` x `size` pixels.

    A resized image is its centre square, scaled with Pillow's bicubic filter, which averages over the whole
    footprint when it shrinks. Without `size` all images must have the same one.

    Raises:
        UsageError: an image cannot be read, or the sizes differ and `size` is None.
    """
    side = size or images.enlarge_to
    first, _, _ = _open_one(images, rows[0], side)
    pixels = np.empty((len(rows), 3, first.height, first.width), dtype=np.uint8)

    def fill(part: range) -> tuple[bool, Counter[str]]:
        all_grey, met = True, Counter()
        for place in part:
            row = rows[place]
            image, grey, rules = _open_one(images, row, side)
            if image.size != first.size:
                raise UsageError(
                    f"The images differ in size: {first.width}×{first.height} in {images.where(rows[0])}, "
                    f"{image.width}×{image.height} in {images.where(row)}. "
                    "Pass --size, for example --size 64, to bring them to one."
                )
            pixels[place] = np.asarray(image).transpose(2, 0, 1)
            all_grey &= grey
            met.update(rules)
        return all_grey, met

    parts = map_ranges(fill, len(rows))
    met = Counter(chain.from_iterable(counts.elements() for _, counts in parts))
    notes = [f"{count} of {len(rows)} images: {rule}." for rule, count in sorted(met.items())]
    if all(grey for grey, _ in parts):
        return Decoded(np.ascontiguousarray(pixels[:, :1]), notes)
    return Decoded(pixels, notes)


def to_rgb(image: Image.Image) -> tuple[Image.Image, bool, list[str]]:
    """Convert a loaded image to RGB; return it, whether it has no colour, and the rules that it met.

    Raises:
        ValueError: the pixels have no fixed range (32-bit or floating point).
    """
    rules = []
    if getattr(image, "is_animated", False):
        rules.append("the first frame of several is used")
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
        rules.append("turned upright as its EXIF orientation says")
    grey = image.mode in _GREY_MODES
    if image.mode.startswith(("I", "F")):
        image = _from_16_bit(image)
        rules.append("16-bit grey values are reduced to their upper 8 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
        rules.append("transparency is composited on black")
    elif image.mode not in ("RGB", "L", "1"):
        rules.append(f"converted from {image.mode} to RGB")
    return image.convert("RGB"), grey, rules


def _from_16_bit(image: Image.Image) -> Image.Image:
    # Pillow's own conversion to 8 bits clips at 255 and would turn nearly everything white.
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > _LARGEST_16_BIT:
        raise ValueError(f"its {image.mode} pixels have no fixed range; store it with 8 or 16 bits")
    return Image.fromarray((values.astype(np.uint16) >> 8).astype(np.uint8))


def _open_one(images: RawImages, row: int, side: int | None) -> tuple[Image.Image, bool, list[str]]:
    try:
        with images.open(row) as image:
            image.load()
            converted, grey, rules = to_rgb(image)
    except _UNREADABLE as error:
        raise UsageError(
            f"Cannot read the image {images.where(row)}: {error}. Repair it or take it out of the data."
        ) from error
    if side is not None:
        converted = ImageOps.fit(converted, (side, side), method=Image.Resampling.BICUBIC)
    return converted, grey, rules
