"""From a file to 8-bit pixels, image by image: by a stated rule, or with the reason why not."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from maskbench.data.decode import to_rgb
from maskbench.errors import UsageError

LARGEST = Image.MAX_IMAGE_PIXELS or 2**26
"""Most pixels of an image that is read: Pillow's own limit, beyond which it suspects a decompression bomb."""

FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
"""What is read, told by the content and not by the name: some of Pillow's other formats start other programs."""

_CHUNK_IMAGES = 256
_CHUNK_PIXELS = 2**22  # some 50 MB as float32 with three channels, and a few times that inside a method

# What Pillow raises on damaged files, format by format.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    UsageError,
)


@dataclass(frozen=True)
class Entry:
    """An image of the source that is not decoded yet.

    Attributes:
        name: what it is called in the source, for people.
        open: opens it, as Pillow does (decoded lazily).
    """

    name: str
    open: Callable[[], Image.Image]


@dataclass(frozen=True)
class Picture:
    """A decoded image, or the reason why it could not be.

    Attributes:
        pixels: uint8 C H W, C = 1 for an image without colour, else 3; None with an error.
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


def decode(entries: Sequence[Entry], size: int | None) -> list[Picture]:
    """Decode images by the rules of ``docs/desensitize.md``; one that cannot be read comes back with the reason.

    With ``size``, an image is its centre square, scaled with Pillow's bicubic filter.
    """
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        _quiet()
        return list(pool.map(lambda entry: _decode(entry, size), entries))


def _decode(entry: Entry, size: int | None) -> Picture:
    try:
        with entry.open() as image:
            if image.format not in FORMATS:
                return Picture(entry.name, None, error=f"its format {image.format} is not one that is read")
            if image.width * image.height > LARGEST:
                raise Image.DecompressionBombError
            rules = _unseen_rules(image)
            image.load()
            converted, grey, met = to_rgb(image)
    except _UNREADABLE as error:
        return Picture(entry.name, None, error=_reason(error))
    if size is not None:
        converted = ImageOps.fit(converted, (size, size), method=Image.Resampling.BICUBIC)
    pixels = np.asarray(converted).transpose(2, 0, 1)
    return Picture(entry.name, np.ascontiguousarray(pixels[:1] if grey else pixels), (*met, *rules))


def _unseen_rules(image: Image.Image) -> list[str]:
    """What Pillow does on its own while it reads, told from the header."""
    rules = []
    # Its decoders take the upper byte of a colour value of 16 bits: ``RGB;16B`` and the like.
    if image.mode.startswith("RGB") and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())):
        rules.append("16-bit colour values are reduced to their upper 8 bits")
    if image.info.get("icc_profile"):
        rules.append("its colour profile is dropped, and not applied")
    return rules


def _area(entry: Entry) -> int:
    """Pixels of an image by its header; 0 where that cannot be read or the image is too large."""
    try:
        with warnings.catch_warnings():
            _quiet()
            with entry.open() as image:
                area = image.width * image.height
    except _UNREADABLE:
        return 0
    return area if area <= LARGEST else 0


def _quiet() -> None:
    """Pillow's remarks on odd files: what matters of them is in the rules and the errors."""
    warnings.simplefilter("ignore")


def _reason(error: BaseException) -> str:
    """Why an image cannot be used, without paths of this machine: the reasons are handed out."""
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {LARGEST:,} pixels, which may be a decompression bomb"
    if isinstance(error, UnidentifiedImageError):
        return "it is no image in a format that can be read"
    if isinstance(error, UsageError):
        return "it has no bytes, and the file that its path names cannot be read"
    if isinstance(error, OSError) and error.errno is not None:
        return f"the file cannot be read: {os.strerror(error.errno)}"
    if isinstance(error, MemoryError):
        return "it does not fit into memory"
    return f"it cannot be decoded: {error or type(error).__name__}"
