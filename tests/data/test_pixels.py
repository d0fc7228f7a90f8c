"""One reader for all: what it refuses, `run` turns into an error that names the image."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from image_files import png, random_image, write_classes
from maskbench.data.load import load
from maskbench.data.options import DataOptions
from maskbench.data.pixels import LARGEST, Picture, Unreadable, UnreadableImage, open_image, read_area, read_pixels
from maskbench.errors import UsageError
from PIL import EpsImagePlugin, Image

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n"


@pytest.fixture
def ghostscript(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was handed to the other program."""
    called: list[object] = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *asked, **_options: called.append(asked))
    return called


def test_another_program_is_never_started_by_run(tmp_path: Path, ghostscript: list[object]) -> None:
    root = write_classes(tmp_path, {"a": 30, "b": 30})
    (root / "a" / "0003.png").write_bytes(POSTSCRIPT)
    with pytest.raises(UsageError, match=r"a/0003\.png: it is no image in a format that is read"):
        load(DataOptions(source=str(root)))
    assert ghostscript == []


def test_a_source_that_opens_by_itself_is_judged_too(ghostscript: list[object]) -> None:
    found = read_pixels(lambda: Image.open(io.BytesIO(POSTSCRIPT)), None)
    assert found == Unreadable("its format EPS is not one that is read")
    assert read_area(lambda: Image.open(io.BytesIO(POSTSCRIPT))) == 0
    assert ghostscript == []


def test_an_array_has_no_format() -> None:
    values = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    found = read_pixels(lambda: Image.fromarray(values), None)
    assert isinstance(found, Picture)
    assert np.array_equal(found.pixels, values.transpose(2, 0, 1))


def test_size_is_the_side_of_the_square() -> None:
    found = read_pixels(lambda: open_image(io.BytesIO(png(random_image(0, (20, 12), "L")))), 8)
    assert isinstance(found, Picture)
    assert found.pixels.shape == (1, 8, 8)


def test_too_many_pixels() -> None:
    assert read_pixels(lambda: Image.new("1", (LARGEST, 2)), None) == Unreadable(
        f"it has more than {LARGEST:,} pixels, which may be a decompression bomb"
    )


def test_what_a_source_cannot_open_keeps_its_reason() -> None:
    def missing() -> Image.Image:
        raise UnreadableImage("nobody has it")

    assert read_pixels(missing, None) == Unreadable("nobody has it")


def test_the_reason_names_no_path(tmp_path: Path) -> None:
    assert read_pixels(lambda: open_image(tmp_path / "gone.png"), None) == Unreadable(
        "the file cannot be read: No such file or directory"
    )
