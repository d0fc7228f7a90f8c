"""Which folders are splits, which are classes, and what is passed over: one odd name must not flip a layout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from image_files import png, random_image, write_classes
from maskbench.data.image_files import find_files
from maskbench.data.load import load
from maskbench.data.options import DataOptions
from maskbench.data.own_output import pictures_of
from maskbench.data.source import LabelTable
from maskbench.data.sources.folder import ClassFolder
from maskbench.errors import UsageError
from maskbench.releasing.command import desensitize


def _table(root: Path) -> LabelTable:
    return ClassFolder(root).labels()


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Training", "Testing"),
        ("training_set", "test_set"),
        ("TrainSet", "TestSet"),
        ("train", "valid"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("Training Data", "Testing Data"),
    ],
)
@pytest.mark.parametrize("odd", [None, "__MACOSX/train", ".thumbs", "unlabeled", "pred/deeper"])
def test_split_folders_are_told_whatever_lies_beside_them(
    tmp_path: Path, train: str, test: str, odd: str | None
) -> None:
    write_classes(tmp_path / train, {"cat": 4, "dog": 4})
    write_classes(tmp_path / test, {"cat": 2, "dog": 1}, first_seed=100)
    if odd is not None:
        write_classes(tmp_path, {odd: 3}, first_seed=200)
    table = _table(tmp_path)
    assert table.classes == {"label": ["cat", "dog"]}
    assert table.native_test is not None
    assert table.native_test.sum() == 3
    assert len(table.native_test) == 11
    if odd is not None:
        assert any(f"'{odd.partition('/')[0]}' was passed over" in note for note in table.notes)


def test_one_split_beside_something_else_is_refused(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"cat": 2, "dog": 2})
    write_classes(tmp_path, {"more": 2}, first_seed=50)
    with pytest.raises(UsageError, match=r"'train', which looks like a split .* beside 'more'"):
        _table(tmp_path)


@pytest.mark.parametrize("names", [("train", "bus"), ("train_station", "test_tube"), ("val", "test", "train")])
def test_classes_may_be_called_like_splits(tmp_path: Path, names: tuple[str, ...]) -> None:
    write_classes(tmp_path, dict.fromkeys(names, 3))
    assert _table(tmp_path).classes == {"label": sorted(names)}


def test_a_class_with_folders_in_it_is_no_split(tmp_path: Path) -> None:
    write_classes(tmp_path, {"train station/ulm": 2, "airport": 2})
    assert _table(tmp_path).classes == {"label": ["airport", "train station"]}


def test_images_outside_of_classes_are_counted(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "loose.png").write_bytes(png(random_image(9)))
    assert "1 images were passed over: they lie in no class folder." in _table(tmp_path).notes


def test_links_are_followed_and_circles_named(tmp_path: Path) -> None:
    write_classes(tmp_path / "real", {"cat": 3})
    root = write_classes(tmp_path / "src", {"dog": 3}, first_seed=9)
    (root / "cat").symlink_to(tmp_path / "real" / "cat")
    assert _table(root).classes == {"label": ["cat", "dog"]}
    (root / "dog" / "again").symlink_to(root)
    (root / "self").symlink_to("self")
    found = find_files(root)
    assert len(found.images) == 6
    assert {str(path): why for path, why in found.closed.items()} == {
        "dog/again": "it is a link to a folder that it lies in"
    }
    assert [str(path) for path in found.others] == ["self"]
    with pytest.raises(UsageError, match=r"dog/again.*a link to a folder"):
        ClassFolder(root).fingerprint()


@pytest.mark.parametrize("limit", [None, 50])
def test_a_name_that_is_not_utf_8(tmp_path: Path, limit: int | None) -> None:
    root = write_classes(tmp_path, {"a": 30, "b": 30})
    odd = root / "a" / os.fsdecode(b"caf\xe9.png")
    (root / "a" / "0000.png").rename(odd)
    (root / "b").rename(root / os.fsdecode(b"b\xe9"))
    found = load(DataOptions(source=str(root), limit=limit))
    assert found.classes == {"label": ["a", "b\\xe9"]}
    assert len(ClassFolder(root).fingerprint()) == 64
    odd.write_bytes(b"broken")
    with pytest.raises(UsageError, match=r"a/caf\\xe9\.png"):
        load(DataOptions(source=str(root)))


def test_a_release_is_read_without_its_masks(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "src", {"a": 30, "b": 30})
    desensitize(root, tmp_path / "dst", "random:patch=8")
    found = load(DataOptions(source=str(tmp_path / "dst")))
    assert (len(found.images), found.name, found.classes) == (60, "dst", {"label": ["a", "b"]})
    again = desensitize(tmp_path / "dst", tmp_path / "dst2", "random:patch=8")
    assert again.manifest["images"]["released"] == 60
    assert find_files(tmp_path / "dst2" / "images").images == find_files(root).images


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"images": 3}', '{"made_by": "somebody"}', "[" * 100_000])
def test_another_manifest_means_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "manifest.json").write_text(content)
    assert pictures_of(tmp_path) == tmp_path


def test_a_release_of_an_older_version_is_not_misread(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "manifest.json").write_text('{"schema_version": 1, "masks": "255 is kept", "versions": {}}')
    with pytest.raises(UsageError, match="older version, with masks beside the pictures"):
        load(DataOptions(source=str(tmp_path)))
