"""From an encoded image to 8-bit pixels: the one reader, with one stated rule for each odd kind."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from maskbench.errors import UsageError

FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
"""What is read, told by the content and not by the name: some of Pillow's other formats start other programs."""

LARGEST = Image.MAX_IMAGE_PIXELS or 2**26
"""Most pixels of an image that is read: Pillow's own limit, beyond which it suspects a decompression bomb."""

_LARGEST_16_BIT = 65535
_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"}


class UnreadableImage(UsageError):
    """There is no image to read; the message is the reason, without paths of this machine."""


# What Pillow raises on damaged files, format by format.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    RuntimeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    UnreadableImage,
)


@dataclass(frozen=True)
class Picture:
    """A decoded image.

    Attributes:
        pixels: uint8 ``(C, H, W)``; C is 1 for an image without colour, else 3.
        rules: the conversion rules that it met.
    """

    pixels: np.ndarray
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Unreadable:
    """Why an image cannot be used, in words that may be handed out."""

    reason: str


def open_image(file: Path | BinaryIO) -> Image.Image:
    """Open an encoded image, without decoding it yet. Only the decoders of `FORMATS` see its content."""
    return Image.open(file, formats=_decoders())


@cache
def _decoders() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]  # MPO is opened as JPEG; AVIF is not in every build


def read_pixels(open_it: Callable[[], Image.Image], size: int | None) -> Picture | Unreadable:
    """Decode one image by the rules of ``docs/desensitize.md``, or say why it cannot be.

    Args:
        open_it: opens the image: an encoded one by `open_image`, or one that is made from an array.
        size: side in pixels of the square that the image becomes: its centre square, scaled with Pillow's bicubic
            filter, which averages over the whole footprint where it shrinks. None keeps its own size.
    """
    try:
        with open_it() as image:
            _refuse(image)
            rules = _unseen_rules(image)
            image.load()
            converted, grey, met = _to_rgb(image)
    except _UNREADABLE as error:
        return Unreadable(_reason(error))
    if size is not None:
        converted = ImageOps.fit(converted, (size, size), method=Image.Resampling.BICUBIC)
    pixels = np.asarray(converted).transpose(2, 0, 1)
    return Picture(np.ascontiguousarray(pixels[:1] if grey else pixels), (*met, *rules))


def read_area(open_it: Callable[[], Image.Image]) -> int:
    """Pixels of an image by its header; 0 where that cannot be read or the image is not decoded anyway."""
    try:
        with open_it() as image:
            _refuse(image)
            return image.width * image.height
    except _UNREADABLE:
        return 0


@contextmanager
def without_remarks() -> Iterator[None]:
    """Silence Pillow on odd files: what matters of its remarks is in the rules and the reasons.

    The filters are the whole process's, so this belongs around the threads that read, not into them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _refuse(image: Image.Image) -> None:
    if image.format is not None and image.format not in FORMATS:  # a source that did not ask `open_image`
        raise UnreadableImage(f"its format {image.format} is not one that is read")
    if image.width * image.height > LARGEST:
        raise Image.DecompressionBombError


def _to_rgb(image: Image.Image) -> tuple[Image.Image, bool, list[str]]:
    """Convert a loaded image to RGB; return it, whether it has no colour, and the rules that it met."""
    rules = []
    if getattr(image, "is_animated", False):  # only Pillow's formats of several frames declare it
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
        raise UnreadableImage(f"its {image.mode} pixels have no fixed range; store it with 8 or 16 bits")
    return Image.fromarray((values.astype(np.uint16) >> 8).astype(np.uint8))


def _unseen_rules(image: Image.Image) -> list[str]:
    """What Pillow does on its own while it reads, told from the header."""
    rules = []
    # Its decoders take the upper byte of a colour value of 16 bits: ``RGB;16B`` and the like.
    if image.mode.startswith("RGB") and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())):
        rules.append("16-bit colour values are reduced to their upper 8 bits")
    if image.info.get("icc_profile"):
        rules.append("its colour profile is dropped, and not applied")
    return rules


def _reason(error: BaseException) -> str:
    if isinstance(error, UnreadableImage):
        return str(error)
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {LARGEST:,} pixels, which may be a decompression bomb"
    if isinstance(error, UnidentifiedImageError):
        return f"it is no image in a format that is read ({', '.join(FORMATS)})"
    if isinstance(error, OSError) and error.errno is not None:
        return f"the file cannot be read: {os.strerror(error.errno)}"
    if isinstance(error, MemoryError):
        return "it does not fit into memory"
    return f"it cannot be decoded: {error or type(error).__name__}"
