"""Each odd kind of image is converted by its stated rule."""

from __future__ import annotations

import io

import numpy as np
import pytest
from image_files import random_image
from maskbench.data.decode import Decoded, decode
from maskbench.data.source import RawImages
from maskbench.errors import UsageError
from PIL import Image


def decode_all(*images: Image.Image | bytes, size: int | None = None, form: str = "PNG", **save) -> Decoded:
    files = []
    for image in images:
        stream = io.BytesIO()
        if isinstance(image, bytes):
            stream.write(image)
        else:
            image.save(stream, format=form, **save)
        files.append(stream.getvalue())
    raw = RawImages(files.__getitem__, lambda row: Image.open(io.BytesIO(files[row])), lambda row: f"file {row}")
    return decode(raw, range(len(files)), size)


def test_rgb_is_untouched():
    image = random_image(0)
    decoded = decode_all(image)
    assert decoded.pixels.dtype == np.uint8
    assert np.array_equal(decoded.pixels[0], np.asarray(image).transpose(2, 0, 1))
    assert decoded.notes == []


def test_greyscale_stays_one_channel_only_if_all_are():
    grey, colour = random_image(0, mode="L"), random_image(1)
    alone, mixed = decode_all(grey, grey.convert("1")), decode_all(grey, colour)
    assert alone.pixels.shape == (2, 1, 16, 16)
    assert alone.pixels.flags["C_CONTIGUOUS"]
    assert np.array_equal(alone.pixels[0, 0], np.asarray(grey))
    assert mixed.pixels.shape == (2, 3, 16, 16)
    assert np.array_equal(mixed.pixels[0, 2], np.asarray(grey))


def test_sixteen_bit_grey_keeps_its_upper_bits():
    values = np.arange(256, dtype=np.uint16).reshape(16, 16) * 250
    decoded = decode_all(Image.fromarray(values))
    assert decoded.pixels.shape == (1, 1, 16, 16)
    assert np.array_equal(decoded.pixels[0, 0], values >> 8)
    assert "16-bit" in decoded.notes[0]


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_pixels_without_a_fixed_range_are_refused(kind):
    image = Image.fromarray(np.full((16, 16), 70000, dtype=kind))
    with pytest.raises(UsageError, match=r"file 0.*no fixed range"):
        decode_all(image, form="TIFF")


def test_alpha_is_composited_on_black():
    image = random_image(0, mode="RGBA")
    values = np.asarray(image).astype(float)
    expected = values[..., :3] * values[..., 3:] / 255
    decoded = decode_all(image)
    assert np.abs(decoded.pixels[0].transpose(1, 2, 0) - expected).max() <= 1
    assert "black" in decoded.notes[0]


def test_palette_and_its_transparency():
    palette = random_image(0).quantize(16)
    assert np.array_equal(decode_all(palette).pixels[0].transpose(1, 2, 0), np.asarray(palette.convert("RGB")))
    clear = decode_all(palette, transparency=int(np.asarray(palette)[0, 0]))
    assert (clear.pixels[0, :, 0, 0] == 0).all()


def test_cmyk_becomes_rgb():
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    decoded = decode_all(image, form="TIFF")
    assert decoded.pixels[0, :, 5, 5].tolist() == [0, 255, 255]
    assert decoded.notes == ["1 of 1 images: converted from CMYK to RGB."]


def test_exif_orientation_is_applied():
    image = random_image(0, (12, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    decoded = decode_all(image, exif=exif)
    turned = np.asarray(image.transpose(Image.Transpose.ROTATE_270))
    assert np.array_equal(decoded.pixels[0].transpose(1, 2, 0), turned)


def test_the_first_frame_is_taken():
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    decoded = decode_all(frames[0], form="GIF", save_all=True, append_images=frames[1:])
    assert decoded.pixels[0, :, 0, 0].tolist() == [255, 0, 0]
    assert any("first frame" in note for note in decoded.notes)


def test_resizing_takes_the_centre_square_and_averages():
    values = np.zeros((16, 48, 3), dtype=np.uint8)
    values[:, 16:32] = 255 * (np.indices((16, 16)).sum(0) % 2)[..., None]  # a chequered centre
    decoded = decode_all(Image.fromarray(values), size=8)
    assert decoded.pixels.shape == (1, 3, 8, 8)
    assert np.abs(decoded.pixels.astype(int) - 127).max() < 12  # without antialiasing: 0 or 255


def test_different_sizes_need_a_size():
    images = random_image(0), random_image(1, (14, 12))
    with pytest.raises(UsageError, match=r"16×16 in file 0, 14×12 in file 1.*--size"):
        decode_all(*images)
    assert decode_all(*images, size=10).pixels.shape == (2, 3, 10, 10)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_a_truncated_image_is_named(form):
    stream = io.BytesIO()
    random_image(0, (40, 40)).save(stream, format=form)
    with pytest.raises(UsageError, match="Cannot read the image file 1"):
        decode_all(random_image(1, (40, 40)), stream.getvalue()[:-400])


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_rubbish_is_named(content):
    with pytest.raises(UsageError, match="file 0"):
        decode_all(content)
