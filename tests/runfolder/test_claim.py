"""The folder for results is claimed when it is chosen, and holds all of them or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from maskbench import UsageError
from maskbench.runfolder.claim import claimed


def test_what_is_written_aside_is_moved_into_place(tmp_path: Path) -> None:
    with claimed(tmp_path / "out", "suite") as claim:
        claim.aside.mkdir()
        (claim.aside / "run.json").write_text("{}")
        assert not (tmp_path / "out").exists()
        claim.finish()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "run.json"]


def test_what_is_unfinished_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), claimed(tmp_path / "deep" / "out", "suite") as claim:
        claim.aside.mkdir()
        (claim.aside / "cells.parquet").write_text("half")
        raise RuntimeError
    assert not list(tmp_path.rglob("*"))


def test_what_a_killed_run_left_is_in_nobodys_way(tmp_path: Path) -> None:
    aside = tmp_path / ".out.unfinished"
    aside.mkdir()
    (aside / "old").write_text("half")
    with claimed(tmp_path / "out", "suite") as claim:
        assert not claim.aside.exists()
        claim.aside.mkdir()
        claim.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    refused = pytest.raises(UsageError, match="Another run is writing to")
    with claimed(tmp_path / "out", "suite"), refused, claimed(tmp_path / "out", "suite"):
        pass


def test_two_runs_of_one_second_get_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with claimed(None, "suite") as one, claimed(None, "suite") as other:
        assert one.folder != other.folder
        assert one.folder.name.startswith("suite-") and other.folder.name.startswith("suite-")


def test_results_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"), claimed(tmp_path, "suite"):
        pass
    with pytest.raises(UsageError, match="is not empty"), claimed(tmp_path / "mine", "suite"):
        pass
    assert (tmp_path / "mine").read_text() == "mine"


def test_an_empty_folder_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with claimed(tmp_path / "out", "suite") as claim:
        claim.aside.mkdir()
        (claim.aside / "run.json").write_text("{}")
        claim.finish()
    assert (tmp_path / "out" / "run.json").is_file()
