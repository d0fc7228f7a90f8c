"""Whole runs in worker processes: plug-ins of all origins, the provisional table, a full disk, two runs at once."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
import torch
from maskbench import Given, Method, Release
from maskbench.artifacts.store import Store, StoreUnwritable
from maskbench.executors.choose import choose_executor
from maskbench.executors.executor import Silent
from maskbench.executors.progress import RunProgress
from maskbench.plugins.catalogue import catalogue
from maskbench.report.terminal import print_provisional
from maskbench.running import run_suite
from rich.console import Console
from stage_plans import Leaf, executed, written
from tiny import CPU, INTERPRETER, command, own_environment, tiny
from torch import Tensor

FILE = """
from typing import ClassVar
import torch
from maskbench import Method, Release

class OfAFile(Method):
    name: ClassVar[str] = "of-a-file"

    def desensitize(self, images, given):
        return Release(torch.full_like(images, 0.5))
"""
SCRIPT = """
from typing import ClassVar
import torch
import maskbench as mb

LEVEL = 0.25

class OfAScript(mb.Method):
    name: ClassVar[str] = "of-a-script"

    def desensitize(self, images, given):
        return mb.Release(torch.full_like(images, LEVEL))

class Learns(mb.RestorationAttack):
    name: ClassVar[str] = "learns"

    def restore(self, release, device):
        return release.images

epochs = {name: {"epochs": 1} for name in ("recognition", "attack", "restoration")}
suite = {
    "data": {"source": "digits", "limit": 60},
    "methods": ["raw"],
    "attacks": [],
    "settings": {"draws": 1, "scored": 16, **epochs},
}
run = mb.run(suite, methods=[OfAScript], attacks=[Learns], seeds=1, jobs=2, progress=False, out="out")
assert (run.cells["status"] == "ok").all(), run.failed
assert len(run.results.timings) > 10
"""


@pytest.mark.slow
def test_classes_of_a_script_travel_without_a_guard(tmp_path: Path) -> None:
    """There is no ``if __name__ == "__main__"``."""
    (tmp_path / "script.py").write_text(SCRIPT)
    call = [sys.executable, "script.py"]
    done = subprocess.run(call, cwd=tmp_path, env=own_environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_file_of_plug_ins_and_of_two_runs_one_waits(tmp_path: Path) -> None:
    """Two runs on one store and on one ``--out``: each stage is made once, and one of them has the folder."""
    (tmp_path / "file.py").write_text(FILE)
    (tmp_path / "suite.yaml").write_text(
        "{data: {source: digits, limit: 60}, methods: [of-a-file], attacks: [released], seeds: 1, settings: "
        "{draws: 1, scored: 16, recognition: {epochs: 1}, attack: {epochs: 1}, restoration: {epochs: 1}}}"
    )
    arguments = ("run", "suite.yaml", "--plugin", "file.py", "--store", "store", "--jobs", "2", "--out")
    calls = [
        subprocess.Popen(
            [*INTERPRETER, *arguments, out],
            cwd=tmp_path,
            env=own_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for out in ("one", "one", "two")
    ]
    said = [call.communicate() for call in calls]
    codes = sorted(call.returncode for call in calls[:2])
    assert codes == [0, 2] and calls[2].returncode == 0, said
    one, two = (pd.read_parquet(tmp_path / out / "cells.parquet") for out in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)
    lines = (tmp_path / "store" / "journal.jsonl").read_text().splitlines()
    assert len(lines) == len(list((tmp_path / "store" / "objects").glob("*/*")))


class Notes(Method):
    """Greys everything out, and tells nothing."""

    name: ClassVar[str] = "notes"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(torch.full_like(images, 0.5))


@pytest.mark.slow
def test_the_first_seed_is_shown_while_others_are_made(tmp_path: Path) -> None:
    catalogue().add(Notes)
    shown: list[tuple[int, str]] = []
    out = io.StringIO()
    console = Console(file=out, width=130)
    suite = tiny(("notes",), ("released",), seeds=2)
    store = Store(tmp_path / "store")

    def show(results: object) -> None:
        print_provisional(results, console)
        shown.append((len(results.cells["seed"].dropna().unique()), out.getvalue()))

    with RunProgress(console) as progress:
        run = run_suite(
            suite,
            choose_executor(store, CPU, 1),
            progress,
            out=tmp_path / "out",
            command="",
            pictures=False,
            show_provisional=show,
        )
    ((seeds, text),) = shown
    assert seeds == 1 and "Provisional: the first seed alone." in text and "notes" in text
    assert set(run.cells["seed"].dropna()) == {0, 1}
    again = run_suite(
        suite, choose_executor(store, CPU, 1), Silent(), out=tmp_path / "again", command="", show_provisional=show
    )
    assert len(shown) == 1, "nothing was left to do when the first seed was done"
    pd.testing.assert_frame_equal(again.cells, run.cells)


@dataclass(frozen=True)
class FindsTheDiskFull(Leaf):
    """No file can grow while it is saved, which is what a full disk is."""

    def does(self) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))


def test_what_cannot_be_kept_ends_the_run_and_the_rest_is_kept(tmp_path: Path) -> None:
    first = Leaf("first")
    with pytest.raises(StoreUnwritable, match="the same command goes on from there"):
        executed({first: 0, FindsTheDiskFull("second", needs=(first,)): 0}, tmp_path)
    assert not list((tmp_path / "partial").iterdir())
    assert len(list((tmp_path / "objects").glob("*/*"))) == 1


def test_locks_that_cannot_be_made(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    store = Store(tmp_path)
    (store.root / "locks").chmod(0o500)
    with pytest.raises(StoreUnwritable):
        executed({Leaf("one"): 0}, tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB, where one can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    """One message, exit code 2, nothing half-written; with room, the same command goes on."""
    (tmp_path / "suite.yaml").write_text(
        "{data: {source: digits, limit: 300}, methods: [raw], attacks: [mean-fill, released], seeds: 2, settings: "
        "{draws: 1, scored: 16, recognition: {epochs: 1}, attack: {epochs: 1}, restoration: {epochs: 1}}}"
    )
    arguments = ("run", "suite.yaml", "--store", str(small_disk / "store"), "--jobs", "2", "--out", "out")
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr and done.stderr.count("\n") == 1
    assert not list((small_disk / "store" / "partial").iterdir()) and not (tmp_path / "out").exists()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_time_left_and_several_stages_are_shown(tmp_path: Path) -> None:
    out = io.StringIO()
    with RunProgress(Console(file=out, width=130, force_terminal=True, color_system=None)) as progress:
        stages = {Leaf(f"stage-{number}", str(tmp_path / "journal"), seconds=0.8): 0 for number in range(8)}
        outcomes = executed(stages, tmp_path / "store", 2, progress)
    assert {outcome.source for outcome in outcomes.values()} == {"computed"}
    assert len(written(tmp_path / "journal")) == 16
    text = out.getvalue()
    assert "stage-0" in text and "stage-1" in text and "left" in text
