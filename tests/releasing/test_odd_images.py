"""Each odd kind of image is converted by its stated rule or named as an error, and never passes through raw."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from desensitize_cases import encoded, errors, picture, pixels, release, tree
from maskbench.releasing.finished import Finished
from PIL import Image, ImageCms

Case = Callable[[], tuple[bytes, np.ndarray]]


def _rgba() -> tuple[bytes, np.ndarray]:
    values = np.asarray(picture(1, mode="RGBA")).copy()
    values[:8, :, 3], values[8:, :, 3] = 0, 255
    expected = np.where(values[..., 3:] == 255, values[..., :3], 0)
    return encoded(Image.fromarray(values)), expected


def _palette() -> tuple[bytes, np.ndarray]:
    image = picture(2).quantize(8)
    return encoded(image), np.asarray(image.convert("RGB"))


def _clear_palette() -> tuple[bytes, np.ndarray]:
    image = picture(2).quantize(8)
    clear = int(np.asarray(image)[3, 3])
    expected = np.where((np.asarray(image) == clear)[..., None], 0, np.asarray(image.convert("RGB")))
    return encoded(image, transparency=clear), expected


def _cmyk() -> tuple[bytes, np.ndarray]:
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    return encoded(image, "TIFF"), np.full((16, 16, 3), (0, 255, 255), np.uint8)


def _grey_16() -> tuple[bytes, np.ndarray]:
    values = (np.arange(256, dtype=np.uint16) * 257 + 13).reshape(16, 16)
    return encoded(Image.fromarray(values)), (values >> 8).astype(np.uint8)


def _colour_16() -> tuple[bytes, np.ndarray]:
    values = np.random.default_rng(3).integers(0, 65536, (16, 16, 3), dtype=np.uint16)
    return cv2.imencode(".png", values)[1].tobytes(), (values[..., ::-1] >> 8).astype(np.uint8)


def _turned() -> tuple[bytes, np.ndarray]:
    image = picture(4, (16, 24))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    exif[0x010E] = "Portrait of somebody"
    return encoded(image, exif=exif), np.rot90(np.asarray(image), -1)


def _animated() -> tuple[bytes, np.ndarray]:
    red, blue = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
    return encoded(red, "GIF", save_all=True, append_images=[blue]), np.asarray(red)


def _animated_png() -> tuple[bytes, np.ndarray]:
    red, blue = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
    return encoded(red, "PNG", save_all=True, append_images=[blue]), np.asarray(red)


def _pages() -> tuple[bytes, np.ndarray]:
    return encoded(picture(5), "TIFF", save_all=True, append_images=[picture(6)]), np.asarray(picture(5))


def _black_and_white() -> tuple[bytes, np.ndarray]:
    image = picture(7, mode="L").convert("1")
    return encoded(image), np.asarray(image.convert("L"))


def _profile() -> tuple[bytes, np.ndarray]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return encoded(picture(8), icc_profile=profile), np.asarray(picture(8))


ODD: dict[str, tuple[Case, str]] = {
    "alpha": (_rgba, "transparency is composited on black"),
    "palette": (_palette, "converted from P to RGB"),
    "palette with transparency": (_clear_palette, "transparency is composited on black"),
    "CMYK": (_cmyk, "converted from CMYK to RGB"),
    "16-bit grey": (_grey_16, "16-bit grey values are reduced to their upper 8 bits"),
    "16-bit colour": (_colour_16, "16-bit colour values are reduced to their upper 8 bits"),
    "EXIF-rotated": (_turned, "turned upright as its EXIF orientation says"),
    "animated GIF": (_animated, "the first frame of several is used"),
    "animated PNG": (_animated_png, "the first frame of several is used"),
    "pages": (_pages, "the first frame of several is used"),
    "black and white": (_black_and_white, ""),
    "colour profile": (_profile, "its colour profile is dropped, and not applied"),
}


def _one(folder: Path, content: bytes, name: str = "odd.png", method: str = "raw") -> Finished:
    (folder / "src").mkdir()
    (folder / "src" / name).write_bytes(content)
    return release(folder / "src", folder / "dst", method)


@pytest.mark.parametrize("kind", ODD)
def test_it_is_converted_by_its_rule(kind: str, tmp_path: Path) -> None:
    make, rule = ODD[kind]
    content, expected = make()
    outcome = _one(tmp_path, content)
    assert errors(outcome) == {}
    assert np.array_equal(pixels(tmp_path / "dst" / "images" / "odd.png"), expected)
    assert outcome.manifest["conversions"].get(rule, 0) == (1 if rule else 0)
    with Image.open(tmp_path / "dst" / "images" / "odd.png") as image:
        assert image.format == "PNG"
        assert image.mode in ("RGB", "L")
        assert not getattr(image, "is_animated", False)


@pytest.mark.parametrize("kind", ODD)
def test_the_kept_pixels_are_those_of_the_converted_image(kind: str, tmp_path: Path) -> None:
    content, expected = ODD[kind][0]()
    _one(tmp_path, content, method="random:geometry=pixel,ratio=0.3")
    mask = pixels(tmp_path / "dst" / "masks" / "odd.png") == 255
    assert 0 < mask.mean() < 1
    assert np.array_equal(pixels(tmp_path / "dst" / "images" / "odd.png")[mask], expected[mask])


def test_no_metadata_survives(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Portrait of somebody"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = encoded(picture(0), "JPEG", exif=exif, icc_profile=profile, comment=b"taken at home", dpi=(300, 300))
    assert b"Portrait" in content
    _one(tmp_path, content, "odd.jpg", method="random")
    for name, written in tree(tmp_path / "dst").items():
        if name.endswith(".png"):
            chunks = []
            at = 8
            while at < len(written):
                length, kind = struct.unpack(">I4s", written[at : at + 8])
                chunks.append(kind)
                at += 12 + length
            assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}


def _bomb(side: int) -> bytes:
    """A PNG of that many pixels by as many, in a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


# A small program in PostScript: Pillow hands such files to another program.
_POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n"

BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "no image"),
    "text": (b"hello", "no image"),
    "truncated PNG": (encoded(picture(0, (64, 64)))[:-3000], "cannot be decoded"),
    "truncated JPEG": (encoded(picture(0, (64, 64)), "JPEG")[:-800], "cannot be decoded"),
    "truncated header": (encoded(picture(0))[:20], "cannot be decoded"),
    "enormous": (_bomb(30_000), "decompression bomb"),
    # Pillow warns above its limit, and refuses above twice that.
    "enormous enough for a warning": (_bomb(10_000), "decompression bomb"),
    "floating point": (encoded(Image.fromarray(np.full((16, 16), 0.5, np.float32)), "TIFF"), "no fixed range"),
    "PostScript": (_POSTSCRIPT, "no image in a format that is read"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_read_is_named_and_nothing_of_it_comes_out(kind: str, tmp_path: Path) -> None:
    content, reason = BROKEN[kind]
    (tmp_path / "src").mkdir()
    picture(1).save(tmp_path / "src" / "good.png")
    (tmp_path / "src" / "bad.png").write_bytes(content)
    outcome = release(tmp_path / "src", tmp_path / "dst", masks=False)
    assert list(errors(outcome)) == ["bad.png"]
    assert reason in errors(outcome)["bad.png"]
    assert set(tree(tmp_path / "dst")) == {"images/good.png", "manifest.json"}
    assert str(tmp_path) not in (tmp_path / "dst" / "manifest.json").read_text()
    assert " at 0x" not in errors(outcome)["bad.png"]


def test_an_image_that_the_method_cannot_take_does_not_take_others_with_it(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for seed in range(3):
        picture(seed, (16, 16)).save(tmp_path / "src" / f"{seed}.png")
    picture(9, (2, 2)).save(tmp_path / "src" / "tiny.png")
    outcome = release(tmp_path / "src", tmp_path / "dst", "random:fill=blur,patch=1")
    assert set(errors(outcome)) <= {"tiny.png"}
    assert outcome.manifest["images"]["released"] >= 3
