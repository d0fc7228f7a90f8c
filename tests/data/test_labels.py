"""Names of classes and columns fit a table, and mean one thing each; what is no label is refused."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from image_files import write_classes, write_parquet
from maskbench.data.labels import label_name
from maskbench.data.load import load, resolve
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError

ROWS = 80


def column(*values: object) -> list[object]:
    return [values[row % len(values)] for row in range(ROWS)]


def loaded(folder: Path, columns: dict[str, list[object]], **choices: str):
    write_parquet(folder / "train.parquet", columns)
    return load(DataOptions(source=str(folder), **choices))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat", "cat"),
        ("a\nb\r\n\tc", "a b c"),
        ("a\x1b[31mb\x00", "a [31mb "),
        ("a\u2028b\u202ec", "a bc"),
        ("", "(empty)"),
        (" \n", "(empty)"),
        ("x" * 101, "x" * 99 + "…"),
        (unicodedata.normalize("NFD", "café"), "café"),
    ],
)
def test_a_name_is_one_line(name: str, shown: str) -> None:
    assert label_name(name) == shown
    assert label_name(shown) == shown


def test_classes_and_columns_with_line_breaks(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"kind\nof": column("cat\n| dog", "bird\r\n")}, target="kind\nof")
    assert found.target == "kind of"
    assert found.classes == {"kind of": ["bird ", "cat | dog"]}


def test_one_name_in_two_encodings_is_one_class(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    found = loaded(tmp_path, {"label": column(composed, "tea", decomposed, "tea")})
    assert found.classes["label"] == ["café", "tea"]
    assert found.labels["label"].bincount().tolist() == [40, 40]
    assert any("NFC and NFD) were taken as one: café" in note for note in found.notes)


def test_folders_in_two_encodings_are_one_class(tmp_path: Path) -> None:
    write_classes(tmp_path, {"caf\u00e9": 20, "cafe\u0301": 20, "tea": 40})
    found = load(DataOptions(source=str(tmp_path)))
    assert found.classes["label"] == ["café", "tea"]
    assert found.labels["label"].bincount().tolist() == [40, 40]


def test_classes_that_would_be_shown_alike_are_refused_with_both_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Two classes of 'label' are shown by one name, 'a b': 'a\\nb' and 'a b'"):
        loaded(tmp_path, {"label": column("a\nb", "a b")})
    with pytest.raises(UsageError, match=r"Two columns of .* are shown by one name, 'x y'"):
        loaded(tmp_path, {"x\ny": column(1, 2), "x y": column(1, 2)})


def test_two_encodings_alone_are_no_two_classes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'label' has one class"):
        loaded(tmp_path, {"label": column("caf\u00e9", "cafe\u0301")})


def test_a_class_that_only_unlabelled_images_have_is_none(tmp_path: Path) -> None:
    # The third class of the sensitive label stands only where the target is missing.
    target = ["a", "b"] * 30 + [None] * 20
    sensitive = ["x", "x", "y", "y"] * 15 + ["z"] * 20
    found = loaded(tmp_path, {"t": target, "s": sensitive}, target="t", sensitive="s")
    assert found.classes["s"] == ["x", "y"]
    assert found.labels["s"].bincount().tolist() == [30, 30]
    assert "Classes of 's' without a labelled image were left out: z." in found.notes


def test_one_class_left_is_no_label(tmp_path: Path) -> None:
    target, sensitive = ["a", "b"] * 30 + [None] * 20, ["x"] * 60 + ["z"] * 20
    with pytest.raises(UsageError, match=r"'s' has one class \('x'\) among the images that are labelled in t and s"):
        loaded(tmp_path, {"t": target, "s": sensitive}, target="t", sensitive="s")


@pytest.mark.parametrize(
    "values", [list(range(ROWS)), [f"person {row // 2 * 2 + (row < 60) * (row % 2)}" for row in range(ROWS)]]
)
def test_an_identifier_is_no_target(tmp_path: Path, values: list[object]) -> None:
    write_parquet(tmp_path / "train.parquet", {"id": values, "label": column("a", "b")})
    assert resolve(DataOptions(source=str(tmp_path))).target == "label"
    with pytest.raises(
        UsageError, match=r"'id' of .* is no label column: it has \d+ classes for 80 images, so it tells"
    ):
        resolve(DataOptions(source=str(tmp_path), target="id"))
