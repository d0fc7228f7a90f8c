"""Image files of every mode, depth, orientation and kind of damage: a picture, or a reason, and nothing else."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from maskbench.data.pixels import Picture, Unreadable, open_image, read_pixels, without_remarks
from PIL import ExifTags, Image

MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F")
DEEP = ("I;16", "I;16L", "I;16B")
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF", "TGA", "ICO", "PCX", "SGI")
SIZE = (23, 17)
FLIPS = 12


def drawn(mode: str, seed: int) -> Image.Image:
    values = np.random.default_rng(seed)
    if mode in DEEP:
        return Image.frombytes(mode, SIZE, values.bytes(2 * SIZE[0] * SIZE[1]))
    if mode in ("I", "F"):
        return Image.fromarray(values.integers(0, 65536, SIZE[::-1]).astype("int32" if mode == "I" else "float32"))
    if mode == "1":
        return Image.fromarray(values.integers(0, 2, SIZE[::-1], dtype=np.uint8) * 255).convert("1")
    image = Image.frombytes(mode, SIZE, values.bytes(SIZE[0] * SIZE[1] * len(Image.new(mode, (1, 1)).getbands())))
    if mode in ("P", "PA"):
        image.putpalette(values.bytes(768))
    return image


def encoded() -> Iterator[tuple[str, bytes]]:
    """Every mode in every format that can hold it, with every orientation in those that say one."""
    for number, mode in enumerate((*MODES, *DEEP)):
        image = drawn(mode, number)
        for kind in FORMATS:
            for orientation in range(10) if kind in ("PNG", "JPEG", "TIFF", "WEBP") else (1,):
                exif = Image.Exif()
                exif[ExifTags.Base.Orientation] = orientation
                stream = io.BytesIO()
                try:
                    image.save(stream, kind, **({} if orientation == 1 else {"exif": exif}))
                except (OSError, KeyError, ValueError):  # this format holds no such mode
                    break
                yield f"{kind} {mode} {orientation}", stream.getvalue()
    frames = [drawn("RGB", seed) for seed in range(3)]
    for kind in ("GIF", "PNG", "TIFF", "WEBP", "MPO"):
        stream = io.BytesIO()
        frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
        yield f"{kind} of three frames", stream.getvalue()


def damaged(content: bytes, source: random.Random) -> Iterator[tuple[str, bytes]]:
    size = len(content)
    yield "whole", content
    yield "empty", b""
    yield "twice", content * 2
    yield "shifted", content[1:]
    yield "behind zeros", bytes(16) + content
    for share in (0.02, 0.1, 0.3, 0.6, 0.9, 0.99):
        yield "cut off", content[: int(size * share)]
        yield "zeros at the end", content[: int(size * share)] + bytes(size - int(size * share))
    for _ in range(FLIPS):
        changed = bytearray(content)
        for _ in range(source.choice((1, 1, 4, 32))):
            # Half of them where headers are.
            changed[source.randrange(min(size, 64) if source.random() < 0.5 else size)] = source.randrange(256)
        yield "changed bytes", bytes(changed)


def test_whatever_a_file_holds_is_a_picture_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    source, counts, wholes = random.Random(0), Counter[str](), set[str]()
    with without_remarks():
        for what, content in encoded():
            for damage, changed in damaged(content, source):
                side = source.choice((None, 16))
                found = read_pixels(partial(open_image, io.BytesIO(changed)), side)
                if isinstance(found, Picture):
                    channels, height, width = found.pixels.shape
                    assert found.pixels.dtype == np.uint8
                    assert channels in (1, 3)
                    assert min(height, width) > 0
                    assert side is None or (height, width) == (side, side)
                    counts[f"{damage}: picture"] += 1
                    if damage == "whole":
                        wholes.add(what)
                else:
                    assert isinstance(found, Unreadable)
                    assert found.reason
                    assert "Traceback" not in found.reason
                    counts[f"{damage}: reason"] += 1
    with capsys.disabled():
        print(
            f"\n{counts.total()} image files: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        )
    assert counts["empty: picture"] == 0
    assert {f"{kind} RGB 1" for kind in ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM")} <= wholes
