"""A run that is stopped or killed at any moment: no process is left, nothing is lost, and the same command goes on."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest
from maskbench.executors.interrupts import Interrupted, StopRequests, Terminated, stop_requests
from stage_plans import written
from tiny import INTERPRETER, own_environment, process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

SLEEPS = """
import ctypes, time
from pathlib import Path
from typing import ClassVar
import torch
from maskbench import Method, Release

class Sleeps(Method):
    name: ClassVar[str] = "sleeps"
    lets_others_run: bool = True

    def desensitize(self, images, given):
        Path("begun").touch()
        if self.lets_others_run:
            time.sleep(600)
        ctypes.PyDLL(None).sleep(600)  # keeps the interpreter's lock
"""
SUITE = """
data: {source: digits, limit: 300}
seeds: 2
methods: [raw, full-mask, random]
attacks: [released, mean-fill, restorer, mask-only]
settings: {scored: 32, recognition: {epochs: 2}, attack: {epochs: 2}, restoration: {epochs: 2}}
"""
KEPT = "Stopped. What is done is kept, and the same command goes on from there.\n"
PLAN = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from stage_plans import Leaf, executed
first = Leaf("first", "journal", seconds=0.1)
middle = tuple(Leaf(f"middle-{{number}}", "journal", (first,), 0.3) for number in range(16))
outcomes = executed({{Leaf("last", "journal", middle): 0}}, Path("store"), 2)
assert all(outcome.source in ("computed", "stored") for outcome in outcomes.values()), outcomes
"""


def _started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*arguments], cwd=folder, env=own_environment(), text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def _wait_for(what: Path, run: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while not what.exists():
        assert run.poll() is None and time.monotonic() < until, run.communicate()
        time.sleep(0.05)


def _gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "times", "code"),
    [(signal.SIGINT, 1, 130), (signal.SIGTERM, 1, 143), (signal.SIGINT, 2, 130)],
    ids=["Ctrl-C", "SIGTERM", "Ctrl-C twice"],
)
def test_told_to_end(tmp_path: Path, number: int, times: int, code: int) -> None:
    """The first time in order; the second time at once, where something does not let the worker end in order."""
    (tmp_path / "sleeps.py").write_text(SLEEPS)
    (tmp_path / "suite.yaml").write_text(SUITE.replace("seeds: 2", "seeds: 1"))
    method = "sleeps" if times == 1 else "sleeps:lets_others_run=false"
    run = _started(
        tmp_path,
        *(*INTERPRETER, "run", "suite.yaml", "--plugin", "sleeps.py", "-m", method, "-a", "released"),
        *("--store", "store", "--out", "out", "--jobs", "2"),
    )
    _wait_for(tmp_path / "begun", run)
    workers = psutil.Process(run.pid).children(recursive=True)
    assert 1 <= len(workers) <= 2
    began = time.monotonic()
    for _ in range(times):
        run.send_signal(number)
        time.sleep(0.5)
    out, err = run.communicate(timeout=60)
    assert run.returncode == code, out + err
    assert time.monotonic() - began < 8, (
        "the orderly way, or at once, is quicker than the time that workers get to save"
    )
    assert err == KEPT
    assert _gone(workers)
    assert len(list((tmp_path / "store" / "objects").glob("*/*"))) >= 1
    assert {path.name for path in tmp_path.iterdir()} == {"begun", "sleeps.py", "suite.yaml", "store"}


def test_the_second_time_is_at_once() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests() as requests:
        requests.check()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Terminated) as stopped:
            requests.check()
        assert stopped.value.code == 143
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before
    assert isinstance(StopRequests(), StopRequests)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A script that executes a plan of 18 stages with two workers."""
    script = tmp_path / "plan.py"
    script.write_text(PLAN.format(paths=[str(Path(__file__).parents[1])]))
    return script


@pytest.mark.slow
def test_kill_9_of_the_driver_loses_and_doubles_nothing(plan: Path) -> None:
    moments = random.Random(0)
    for _ in range(3):
        run = _started(plan.parent, sys.executable, str(plan))
        _wait_for_work(run, plan.parent / "journal", moments)
        children = psutil.Process(run.pid).children(recursive=True)
        run.kill()
        run.communicate()
        assert _gone(children), "a worker outlived its driver"
    run = _started(plan.parent, sys.executable, str(plan))
    _ended_well(run, plan.parent / "store")


@pytest.mark.slow
def test_kill_9_of_workers_loses_and_doubles_nothing(plan: Path) -> None:
    moments = random.Random(1)
    run = _started(plan.parent, sys.executable, str(plan))
    for _ in range(3):
        # A stage whose worker was killed is made again, alone, and fails when it is killed once more. That is over
        # when four stages have begun after the kill.
        _wait_for_work(run, plan.parent / "journal", moments, least=4)
        moments.choice(psutil.Process(run.pid).children()).kill()
    _ended_well(run, plan.parent / "store")


def _wait_for_work(run: subprocess.Popen[str], journal: Path, moments: random.Random, least: int = 1) -> None:
    """Until some more stages have begun, and a moment longer."""
    until = time.monotonic() + 120
    enough = len(written(journal)) + least + moments.randrange(2)
    while len(written(journal)) < enough:
        assert run.poll() is None and time.monotonic() < until, run.communicate()
        time.sleep(0.02)
    time.sleep(moments.uniform(0.0, 0.3))


def _ended_well(run: subprocess.Popen[str], store: Path) -> None:
    _, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    _nothing_doubled(store)
    assert len(list((store / "objects").glob("*/*"))) == 18


def _children(run: subprocess.Popen[str]) -> list[psutil.Process]:
    """The workers, once there are some; none where the run ends without any."""
    until = time.monotonic() + 60
    while time.monotonic() < until and run.poll() is None:
        found = psutil.Process(run.pid).children(recursive=True)
        if found:
            return found
        time.sleep(0.02)
    return []


def _nothing_doubled(store: Path) -> None:
    finished = [json.loads(line)["key"] for line in (store / "journal.jsonl").read_text().splitlines()]
    assert len(finished) == len(set(finished)), "a finished stage was done twice"


@pytest.mark.soak
def test_twenty_kills_each_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    arguments = ("run", "suite.yaml", "--jobs", "2", "--store")
    began = time.monotonic()
    whole = process(*arguments, "whole", "--out", "whole-out", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    length = time.monotonic() - began
    moments = random.Random(0)
    for number in range(40):
        # A new store now and then, or all would be done after the first kills.
        store = f"killed-{number // 8}"
        run = _started(tmp_path, *INTERPRETER, *arguments, store, "--out", f"out-{number}")
        children = _children(run)
        time.sleep(moments.uniform(0.0, 0.5) * length)
        if number % 2 and children:
            if run.poll() is None:
                children = psutil.Process(run.pid).children() or children
            with suppress(psutil.NoSuchProcess):  # it has ended by itself meanwhile
                children[0].kill()
            run.communicate(timeout=600)
            assert run.returncode in (0, 1)
        else:
            run.kill()
            run.communicate()
            assert _gone(children)
    expected = pd.read_parquet(tmp_path / "whole-out" / "cells.parquet")
    for number in range(5):
        resumed = process(*arguments, f"killed-{number}", "--out", f"last-{number}", cwd=tmp_path)
        assert resumed.returncode == 0, resumed.stderr
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"last-{number}" / "cells.parquet"), expected)
        _nothing_doubled(tmp_path / f"killed-{number}")
