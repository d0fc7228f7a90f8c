"""A baseline is replaced deliberately: what it holds, what is kept of the reason, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from maskbench.cli.main import app
from maskbench.errors import UsageError
from maskbench.gate.baseline import HISTORY, update
from maskbench.gate.compare import compare
from maskbench.runfolder import checksums
from planted_pairs import lower, run
from typer.testing import CliRunner


def test_a_baseline_is_replaced_with_reason_and_date(tmp_path: Path) -> None:
    first, second, place = tmp_path / "first", tmp_path / "second", tmp_path / "results" / "ci"
    run(range(100, 106)).write(first)
    run(change=lower("mine", "none", 0.2)).write(second)
    assert update(first, place, "the first one") is None
    (place / "accepted.yaml").write_text("[]\n", encoding="utf-8")
    before = update(second, place, "a smaller network")
    assert before is not None and before.regressed
    history = json.loads((place / HISTORY).read_text(encoding="utf-8"))
    assert [entry["reason"] for entry in history] == ["the first one", "a smaller network"]
    assert history[1]["changes"]["regressed"] == 2  # accuracy, and the balanced one
    assert all(len(entry["date"]) == len("2026-01-01") for entry in history)
    assert not (place / "accepted.yaml").exists()
    assert compare(place, second).exit_code == 0
    assert sorted(path.name for path in place.parent.iterdir()) == ["ci"]
    sums = checksums.compare(place)
    assert sums is not None and not sums.absent and not sums.changed, "cells.csv is left out, and so is its checksum"


def test_the_command_puts_it_where_the_suite_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(range(3)).write(tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["baseline", "update", "new", "--reason", "first"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "results" / "baseline" / "planted" / "run.json").is_file()


def test_what_must_not_be_a_baseline_is_refused(tmp_path: Path) -> None:
    run(range(2), failed=[("mine", "telea")]).write(tmp_path / "failed")
    run(range(2)).write(tmp_path / "good")
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match="failed cell"):
        update(tmp_path / "failed", tmp_path / "baseline", "")
    with pytest.raises(UsageError, match="no baseline"):
        update(tmp_path / "good", tmp_path / "other", "")
    with pytest.raises(UsageError, match="itself"):
        update(tmp_path / "good", tmp_path / "good", "")
    assert not (tmp_path / "baseline").exists()
