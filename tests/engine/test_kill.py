"""A run that is killed at any moment resumes: nothing half-written is read, nothing finished is done twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from tiny import INTERPRETER, own_environment, process

ARGUMENTS = ("run", "suite.yaml", "--store")
SUITE = """
data: {source: digits, limit: 300}
seeds: 2
methods: [raw, full-mask, random]
attacks: [released, mean-fill, restorer, mask-only]
settings: {scored: 32, recognition: {epochs: 2}, attack: {epochs: 2}, restoration: {epochs: 2}}
"""
KILLS = 10


@pytest.mark.soak
def test_ten_kills_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    started = time.monotonic()
    whole = process(*ARGUMENTS, "whole", "--out", "whole-out", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    length = time.monotonic() - started
    moments = random.Random(0)
    for number in range(KILLS):
        _kill_after(tmp_path, f"killed-out-{number}", moments.uniform(0.15, 0.9) * length)
    resumed = process(*ARGUMENTS, "killed", "--out", "killed-out", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr

    expected = pd.read_parquet(tmp_path / "whole-out" / "cells.parquet")
    found = pd.read_parquet(tmp_path / "killed-out" / "cells.parquet")
    pd.testing.assert_frame_equal(found, expected)
    finished = [json.loads(line)["key"] for line in (tmp_path / "killed" / "journal.jsonl").read_text().splitlines()]
    assert len(finished) == len(set(finished)), "a finished stage was done twice"
    objects = {path.name for path in (tmp_path / "killed" / "objects").glob("*/*")}
    assert objects == {path.name for path in (tmp_path / "whole" / "objects").glob("*/*")}


def _kill_after(folder: Path, out: str, seconds: float) -> None:
    running = subprocess.Popen(
        [*INTERPRETER, *ARGUMENTS, "killed", "--out", out],
        cwd=folder,
        env=own_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGKILL)
        running.wait()
