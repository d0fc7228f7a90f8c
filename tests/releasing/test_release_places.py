"""Nothing is written over the source, nor over anything that is there already."""

from __future__ import annotations

from pathlib import Path

import pytest
from desensitize_cases import class_folders, parquet, release, tree
from maskbench.errors import UsageError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "around" / "src", count=1)


CASES = {
    "the source itself": ("around/src", "is the source or lies in it"),
    "in the source": ("around/src/cat/new", "is the source or lies in it"),
    "in the source, by a detour": ("around/src/cat/../new", "is the source or lies in it"),
    "around the source": ("around", "lies in the destination"),
    "a link into the source": ("link/new", "is the source or lies in it"),
    "a file": ("file", "is a file"),
    "not empty": ("full", "not empty"),
    "so named that the source is its own": ("around/sr", None),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("resume", [False, True])
def test_destination(case: str, resume: bool, source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    destination, message = CASES[case]
    before = tree(tmp_path)
    if message is None:
        release(source, tmp_path / destination, resume=resume)
    else:
        with pytest.raises(UsageError, match=message):
            release(source, tmp_path / destination, resume=resume)
    after = tree(tmp_path)
    assert {name: after[name] for name in before} == before
    assert (message is None) == (len(after) > len(before))


def test_a_parquet_file_is_not_overwritten_by_its_release(tmp_path: Path) -> None:
    file = parquet(tmp_path / "data" / "train.parquet", 2)
    before = tree(tmp_path)
    for destination in (tmp_path / "data", file, tmp_path):
        with pytest.raises(UsageError):
            release(file, destination)
    assert tree(tmp_path) == before
    release(file, tmp_path / "data" / "out")
    assert (tmp_path / "data" / "out" / "train.parquet").is_file()


def test_a_link_in_the_destination_leads_nowhere(source: Path, tmp_path: Path) -> None:
    (source / "cat" / "bad.png").write_bytes(b"broken")
    release(source, tmp_path / "dst")
    raw = tree(source)
    for file in (tmp_path / "dst" / "images" / "cat").iterdir():
        file.unlink()
    (tmp_path / "dst" / "images" / "cat").rmdir()
    (tmp_path / "dst" / "images" / "cat").symlink_to(source / "cat")
    with pytest.raises(UsageError, match="leads out of the destination"):
        release(source, tmp_path / "dst", resume=True)
    assert tree(source) == raw


@pytest.mark.parametrize(
    ("save", "message"),
    [
        ("dst/method.safetensors", "handed out"),
        ("dst.unfinished/method.safetensors", "goes away when the release is done"),
        ("around/src/method.safetensors", "lies in the source"),
        ("there.safetensors", "not overwritten"),
        ("around", "is a folder"),
    ],
)
def test_save(save: str, message: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "there.safetensors").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(UsageError, match=message):
        release(source, tmp_path / "dst", save=tmp_path / save)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [("around/scr", "folder .*src"), ("file.txt", "no .parquet"), ("empty", "no images")],
)
def test_source(name: str, message: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=message):
        release(tmp_path / name, tmp_path / "dst")
    assert not (tmp_path / "dst").exists()
