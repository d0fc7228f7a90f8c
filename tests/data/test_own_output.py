"""Nothing is written into the data, and what maskbench wrote is not read as images."""

from __future__ import annotations

from pathlib import Path

import pytest
from image_files import write_classes, write_parquet
from maskbench.data.load import load, refuse_inside, resolve
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError
from tiny import command


def test_places_in_the_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_classes(tmp_path / "data", {"a": 2, "b": 2})
    (tmp_path / "link").symlink_to(data)
    monkeypatch.chdir(data)
    options = DataOptions(source=".")
    for place in (data, data / "runs", Path("runs"), Path(), tmp_path / "link" / "x", data / "a" / ".." / "new"):
        with pytest.raises(UsageError, match="The results would lie in the data"):
            refuse_inside(options, {"The results": place})
    for place in (tmp_path / "runs", tmp_path, tmp_path / "data2", Path("..") / "x"):
        refuse_inside(options, {"The results": place})
    refuse_inside(DataOptions(source="digits"), {"The results": data})


@pytest.mark.parametrize("arguments", [(), ("--out", "a/new"), ("--store", "store", "--out", "../out")])
def test_a_run_leaves_the_data_as_they_are(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    data = write_classes(tmp_path / "data", {"a": 30, "b": 30})
    before = sorted(data.rglob("*"))
    store = () if "--store" in arguments else ("--store", str(tmp_path / "store"))
    done = command("run", "quick", "--data", ".", *arguments, *store, cwd=data)
    assert done.returncode == 2
    assert "would lie in the data" in done.stderr
    assert sorted(tmp_path.rglob("*")) == sorted([data, *before])


@pytest.mark.parametrize("depth", ["", "runs/quick-1", "a/runs"])
def test_results_of_a_run_are_not_read_as_images(tmp_path: Path, depth: str) -> None:
    write_classes(tmp_path, {"a": 30, "b": 30})
    folder = tmp_path / depth
    write_classes(folder / "pictures", {"raw": 3})
    write_parquet(folder / "cells.parquet", {"label": [1, 2]})
    (folder / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="holds the results of a run, not images"):
        resolve(DataOptions(source=str(tmp_path)))


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_a_release_is_read_as_its_pictures(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "source"
    if kind == "folder":
        write_classes(source, {"a": 30, "b": 30})
    else:
        write_parquet(source / "train.parquet", {"label": ["a", "b"] * 30})
    done = command("desensitize", str(source), str(tmp_path / "released"), "-m", "random:patch=4", "--ratio", "0.5")
    assert done.returncode == 0, done.stderr
    found = load(DataOptions(source=str(tmp_path / "released")))
    assert len(found.images) == 60
    assert found.classes["label"] == ["a", "b"]
