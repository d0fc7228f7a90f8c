"""Which released picture belongs to which raw one, and what is said of those that cannot be used."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from image_files import png, random_image
from maskbench.data.file_names import matched
from maskbench.data.load import checked, fingerprint, released_pictures, resolve
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError
from PIL import Image, ImageFilter

COUNT = 60


def paths(*names: str) -> list[PurePosixPath]:
    return [PurePosixPath(name) for name in names]


@pytest.mark.parametrize(
    ("raw", "released"),
    [
        ("a/1.png", "a/1.png"),
        ("a/1.jpg", "a/1.png"),
        ("a/1.jpg", "a/1.jpg.png"),
        ("a/1.png", "1.png"),
        ("1.png", "deep/er/1.jpg"),
    ],
)
def test_names_that_belong_together(raw: str, released: str) -> None:
    assert matched(paths(raw, "other.png"), paths("noise.png", released)) == {0: 1}


def test_nothing_is_guessed() -> None:
    assert matched(paths("a/1.png", "b/1.png"), paths("1.jpg")) == {}
    assert matched(paths("1.png", "1.jpg"), paths("1.png", "1.jpg")) == {0: 0, 1: 1}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """``raw`` in two class folders, and ``blurred`` beside it, with the same names."""
    for number in range(COUNT):
        name = f"{'ab'[number % 2]}/{number:02}.png"
        picture = random_image(number)
        for folder, shown in (("raw", picture), ("blurred", picture.filter(ImageFilter.BoxBlur(2)))):
            place = tmp_path / folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(png(shown))
    return tmp_path


def options(photos: Path, **choices: object) -> DataOptions:
    size = choices.pop("size", None)
    released = {"folder": str(photos / "blurred"), **choices}
    return DataOptions.model_validate({"source": str(photos / "raw"), "size": size, "released": released})


def write_masks(photos: Path, kept: int, hidden: int, count: int = COUNT) -> None:
    """Masks of the upper half, whose pixels are raw in the released pictures."""
    for number in range(count):
        name = f"{'ab'[number % 2]}/{number:02}.png"
        mask = np.full((16, 16), hidden, dtype=np.uint8)
        mask[:8] = kept
        (photos / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / "masks" / name).write_bytes(png(Image.fromarray(mask)))
        with Image.open(photos / "raw" / name) as raw, Image.open(photos / "blurred" / name) as blurred:
            blurred.paste(raw.crop((0, 0, 16, 8)), (0, 0))
            (photos / "blurred" / name).write_bytes(png(blurred))


def test_whole_pairs_are_the_data_of_any_run_on_the_folder(photos: Path) -> None:
    assert checked(options(photos)).pairs == COUNT
    assert fingerprint(options(photos)) == fingerprint(DataOptions(source=str(photos / "raw")))


def test_what_has_no_partner_or_cannot_be_read_is_named(photos: Path) -> None:
    (photos / "blurred" / "a" / "00.png").unlink()
    (photos / "raw" / "b" / "01.png").unlink()
    (photos / "blurred" / "a" / "02.png").write_bytes(b"no picture")
    found = checked(options(photos))
    assert (found.raw_alone, found.released_alone, list(found.unreadable)) == (
        ("a/00.png",),
        ("b/01.png",),
        ["a/02.png"],
    )
    assert found.pairs == COUNT - 3
    assert "1 pairs cannot be read: they were left out." in found.options.notes
    resolved = resolve(options(photos))
    assert len(released_pictures(resolved).pairs) == COUNT - 3


def test_too_few_pairs(photos: Path) -> None:
    for number in range(0, COUNT, 2):
        (photos / "blurred" / "a" / f"{number:02}.png").unlink()
    with pytest.raises(UsageError, match=r"30 pairs .* an audit needs 50: 30 raw pictures have no release"):
        checked(options(photos))


def test_another_size_is_refused_or_stated(photos: Path) -> None:
    for place in (photos / "blurred").rglob("*.png"):
        place.write_bytes(png(random_image(1, (8, 8))))
    with pytest.raises(UsageError, match=r"8×8 px instead of 16×16 px\. Pass --size"):
        checked(options(photos))
    assert "60 of 60 released pictures have another size" in checked(options(photos, size=16)).options.notes[0]


def test_pairs_from_a_csv_file(photos: Path) -> None:
    place = photos / "pairs.csv"
    names = [f"{'ab'[number % 2]}/{number:02}.png" for number in range(COUNT)]
    place.write_text(
        "raw,released\n" + "".join(f"{name},{other}\n" for name, other in zip(names, names[::-1], strict=True))
    )
    found = released_pictures(options(photos, pairs=str(place)))
    assert str(found.pairs[0].released) == "b/59.png"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n", "has no column 'raw': its first line must be raw,released"),
        ("raw,released\na/00.png,zz.png\n", "line 2, column released: there is no picture 'zz.png'"),
        ("raw,released\na/00.png,a/00.png\na/00.png,a/02.png\n", "line 3: a/00.png or a/02.png is paired twice"),
        ("raw,released\na/00.png\n", "line 2, column released: there is no picture ''"),
    ],
)
def test_bad_pairs_say_where(photos: Path, content: str, message: str) -> None:
    (photos / "pairs.csv").write_text(content)
    with pytest.raises(UsageError, match=message):
        checked(options(photos, pairs=str(photos / "pairs.csv")))


def test_folders_that_cannot_be(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        checked(options(photos, folder=str(photos / "none")))
    with pytest.raises(UsageError, match="lie in one another"):
        checked(options(photos, folder=str(photos / "raw" / "a")))
    with pytest.raises(UsageError, match="no folder of image files"):
        resolve(options(photos).model_copy(update={"source": "digits"}))
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "zz.png").write_bytes(png(random_image(0)))
    with pytest.raises(UsageError, match=r"belongs to one of .* by its name"):
        checked(options(photos, folder=str(tmp_path / "others")))


def test_masks_are_paired_too(photos: Path) -> None:
    write_masks(photos, kept=255, hidden=0, count=COUNT - 1)
    found = checked(options(photos, masks=str(photos / "masks")))
    assert (found.pairs, found.without_mask) == (COUNT - 1, ("b/59.png",))


def test_inverted_masks_are_refused(photos: Path) -> None:
    write_masks(photos, kept=0, hidden=255)
    with pytest.raises(UsageError, match="The masks look inverted"):
        checked(options(photos, masks=str(photos / "masks")))


def test_raw_and_constant_releases_are_told(photos: Path) -> None:
    assert (
        "Every released picture equals its raw one: nothing was hidden."
        in checked(options(photos, folder=_copied(photos, "raw", "copy"))).options.notes
    )
    for place in (photos / "blurred").rglob("*.png"):
        place.write_bytes(png(random_image(0)))
    assert any("are the same picture" in note for note in checked(options(photos)).options.notes)


def _copied(photos: Path, source: str, target: str) -> str:
    for place in (photos / source).rglob("*.png"):
        copy = photos / target / place.relative_to(photos / source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(place.read_bytes())
    return str(photos / target)
