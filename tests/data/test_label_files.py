"""Labels of a folder that stand in a file: a CSV file that is named, or Hugging Face's metadata in the folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from image_files import png, random_image
from maskbench.data.load import fingerprint, load, resolve, unlabelled
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError

COUNT = 60


def write_pictures(root: Path, names: list[str]) -> Path:
    for seed, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(random_image(seed)))
    return root


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "photos", [f"{number:02}.png" for number in range(COUNT)])


def table(path: Path, line: str = "{:02}.png,{},{}", header: str = "file,kind,age", count: int = COUNT) -> Path:
    rows = [line.format(number, "ab"[number % 2], number) for number in range(count)]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def options(photos: Path, **choices: object) -> DataOptions:
    return DataOptions.model_validate({"source": str(photos), **choices})


def test_a_flat_folder_gets_its_labels_from_a_csv_file(photos: Path, tmp_path: Path) -> None:
    found = load(options(photos, labels=str(table(tmp_path / "labels.csv"))))
    assert (found.target, found.classes["kind"]) == ("kind", ["a", "b"])
    assert found.labels["kind"].tolist() == [number % 2 for number in range(COUNT)]


@pytest.mark.parametrize(
    "line", ["{:02}.png;{};{}", "{:02}.png\t{}\t{}", "{:02},{},{}", "./{:02}.png,{},{}", "x\\{:02}.jpg,{},{}"]
)
def test_names_and_separators_as_programs_write_them(photos: Path, tmp_path: Path, line: str) -> None:
    separator = next(sign for sign in ";\t," if sign in line)
    labels = table(tmp_path / "labels.csv", line, separator.join(("file", "kind", "age")))
    assert len(load(options(photos, labels=str(labels))).images) == COUNT


def test_numbers_need_bins(photos: Path, tmp_path: Path) -> None:
    labels = str(table(tmp_path / "labels.csv"))
    with pytest.raises(UsageError, match=r"holds 60 different numbers: make classes .*--bins age=18,40,65"):
        resolve(options(photos, labels=labels, target="kind", sensitive="age"))
    found = load(options(photos, labels=labels, target="kind", sensitive="age", bins=["age=20,40"]))
    assert found.classes["age"] == ["under 20", "20 to under 40", "40 and over"]
    assert found.labels["age"].bincount().tolist() == [20, 20, 20]


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        ("age", "is not COLUMN=NUMBER"),
        ("age=a,b", "is not COLUMN=NUMBER"),
        ("age=nan", "is not COLUMN=NUMBER"),
        ("age=40,20", "must rise"),
        ("kind=1", "holds no numbers"),
        ("agee=1", "did you mean 'age'"),
    ],
)
def test_bins_that_cannot_be(photos: Path, tmp_path: Path, bins: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve(options(photos, labels=str(table(tmp_path / "labels.csv")), bins=[bins]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"file\na.png\n", "has one column"),
        (b"file,kind\n00.png,a,b\n", "no readable CSV"),
        (b"file,kind,kind\n00.png,a,b\n", "several columns named 'kind'"),
        (b"file,kind\n00.png,a\n00.png,b\n", "names 1 pictures twice"),
        (b"file,kind\n,a\n", "row 1 of its column 'file' names no picture"),
        (b"file,kind\nzz.png,a\n", "names no picture of"),
        ("file,kind\n00.png,é\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_bad_files_say_what_is_wrong(photos: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        resolve(options(photos, labels=str(tmp_path / "labels.csv")))


def test_pictures_without_a_label_are_left_out_and_named(photos: Path, tmp_path: Path) -> None:
    chosen = options(photos, labels=str(table(tmp_path / "labels.csv", count=COUNT - 2)), limit=None)
    assert unlabelled(chosen) == ("58.png", "59.png")
    found = load(chosen)
    assert len(found.images) == COUNT - 2
    assert any("2 images were left out: they have no row in labels.csv." in note for note in found.notes)


def test_no_such_file_and_no_folder(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        resolve(options(photos, labels=str(tmp_path / "none.csv")))
    with pytest.raises(UsageError, match="brings its own labels"):
        resolve(DataOptions(source="digits", labels=str(table(tmp_path / "labels.csv"))))
    with pytest.raises(UsageError, match=r"--labels FILE\.csv"):
        resolve(options(photos))


def test_metadata_of_hugging_face(tmp_path: Path) -> None:
    root = write_pictures(
        tmp_path / "set", [f"{split}/{number:02}.png" for split in ("train", "test") for number in range(30)]
    )
    table(root / "train" / "metadata.csv", "{:02}.png,{},{}", "file_name,kind,age", 30)
    rows = [{"file_name": f"{number:02}.png", "kind": "ab"[number % 2], "age": number} for number in range(30)]
    (root / "test" / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = load(options(root))
    assert found.native_test is not None
    assert int(found.native_test.sum()) == 30
    assert found.classes["kind"] == ["a", "b"]


def test_class_folders_stay_a_label_beside_those_of_a_file(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "set", [f"{'xy'[number % 2]}/{number:02}.png" for number in range(COUNT)])
    labels = table(tmp_path / "labels.csv")
    found = load(options(root, labels=str(labels), target="label", sensitive="kind"))
    assert found.classes["label"] == ["x", "y"]


def test_the_labels_are_part_of_the_data(photos: Path, tmp_path: Path) -> None:
    labels = table(tmp_path / "labels.csv")
    chosen = options(photos, labels=str(labels))
    before = fingerprint(chosen)
    labels.rename(tmp_path / "renamed.csv")
    assert fingerprint(options(photos, labels=str(tmp_path / "renamed.csv"))) == before
    changed = (tmp_path / "renamed.csv").read_text().replace("00.png,a", "00.png,b")
    (tmp_path / "renamed.csv").write_text(changed)
    assert fingerprint(options(photos, labels=str(tmp_path / "renamed.csv"))) != before
