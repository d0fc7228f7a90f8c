"""A suite that runs in seconds, and how tests run it."""

from __future__ import annotations

import copy
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import torch
from maskbench.artifacts.store import Artifact, Store
from maskbench.cli import main as entry
from maskbench.executors.executor import StageOutcome
from maskbench.executors.local import LocalExecutor
from maskbench.planning.cell import Cell
from maskbench.planning.plan import Step
from maskbench.planning.suite import Suite, validate
from maskbench.plugins.catalogue import catalogue
from maskbench.results.execute import execute
from maskbench.results.execution import Execution
from maskbench.results.measure import planned_of
from maskbench.runfolder.folder import RunFolder
from maskbench.running import results_of
from maskbench.stages.stage import Stage
from trees import CHECKOUT

CPU = torch.device("cpu")
INTERPRETER = (sys.executable, "-m", "maskbench")
"""The command in an interpreter of its own; its arguments follow."""

FAST = {"epochs": 2}
EVERYTHING = (
    "released",
    "mean-fill",
    "telea",
    "navier-stokes",
    "biharmonic",
    "restorer",
    "adaptive",
    "reverse",
    "mask-only",
)


class Log:
    """An observer that remembers what was computed, found and failed, by title."""

    def __init__(self) -> None:
        self.outcomes: dict[str, list[str]] = {"computed": [], "stored": [], "failed": [], "unavailable": []}

    def planned(self, steps: int, stored: int) -> None:
        """See ``Observer``."""

    def started(self, step: Step) -> None:
        """See ``Observer``."""

    def waiting(self, step: Step) -> None:
        """See ``Observer``."""

    def progressed(self, step: Step, share: float) -> None:
        """See ``Observer``."""

    def finished(self, outcome: StageOutcome) -> None:
        """See ``Observer``."""
        self.outcomes[outcome.source].append(outcome.step.stage.title())

    def remaining(self, seconds: float) -> None:
        """See ``Observer``."""


def tiny(
    methods: Sequence[str] = ("random",), attacks: Sequence[str] = ("released", "mask-only"), **changes: object
) -> Suite:
    """A suite on 300 digits of 16 px, with two epochs of everything and one seed."""
    content = {
        "name": "tiny",
        "data": {"source": "digits", "limit": 300, "size": 16},
        "methods": tuple(methods),
        "attacks": tuple(attacks),
        "seeds": 1,
        "settings": {"scored": 32, "recognition": FAST, "attack": FAST, "restoration": FAST},
    }
    return validate({**content, **changes}, "tiny")


@dataclass(frozen=True)
class CellResult:
    """What became of a cell; ``key`` is that of its scoring stage."""

    cell: Cell
    status: str
    reason: str
    artifact: Artifact | None


@dataclass(frozen=True)
class Ran:
    """A suite that a test ran: what was executed, and what came of it."""

    execution: Execution
    folder: RunFolder

    @property
    def cells(self) -> pd.DataFrame:
        """The table of cells."""
        return self.folder.cells

    @property
    def samples(self) -> pd.DataFrame:
        """The table of samples."""
        return self.folder.samples

    def step(self, title: str) -> Step:
        """The one step whose stage has this title."""
        (found,) = (step for step in self.execution.plan.steps.values() if step.stage.title() == title)
        return found

    def artifact(self, stage: Stage) -> Artifact:
        """What a stage made."""
        return self.execution.executor.read(self.execution.plan.key(stage))

    @property
    def results(self) -> list[CellResult]:
        """Every cell of the matrix with what became of it."""
        planned = planned_of(self.cells)[["status", "reason", "stage_key"]].to_dict("records")
        return [
            CellResult(
                cell,
                row["status"],
                row["reason"],
                self.execution.executor.read(row["stage_key"]) if row["status"] == "ok" else None,
            )
            for cell, row in zip(_in_order(self.execution.matrix.cells), planned, strict=True)
        ]


def _in_order(cells: Sequence[Cell]) -> list[Cell]:
    """Cells as the table has them: all seeds of one together."""
    groups: dict[object, list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.method, cell.attack_name, cell.attack_kind, cell.label, cell.aux_share), []).append(
            cell
        )
    return [cell for group in groups.values() for cell in group]


def run(suite: Suite, store: Path, device: torch.device = CPU) -> tuple[Ran, Log]:
    """Run a suite in this process."""
    log = Log()
    execution = execute(suite, LocalExecutor(Store(store), device), log)
    return Ran(execution, results_of(execution)), log


def pooled(cells: pd.DataFrame, **where: str) -> pd.DataFrame:
    """The rows over seeds that match."""
    found = cells[cells["seed"].isna() & (cells["status"] == "ok")]
    for column, value in where.items():
        found = found[found[column] == value]
    return found


def command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``maskbench`` in this process, as its entry point does; ``cwd``: a folder to stand in meanwhile."""
    out, err = io.StringIO(), io.StringIO()
    with plugins_forgotten(), pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["maskbench", *arguments])
        patch.setenv("COLUMNS", "200")
        if cwd is not None:
            patch.chdir(cwd)
        try:
            entry.main()
            code: object = 0
        except SystemExit as left:
            code = left.code
    return subprocess.CompletedProcess(arguments, int(code or 0), out.getvalue(), err.getvalue())


@contextmanager
def plugins_forgotten() -> Iterator[None]:
    """Forget the plug-ins that are added in this block."""
    before = {name: copy.copy(value) for name, value in vars(catalogue()).items()}
    modules = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - modules:
            if name.startswith("maskbench_plugin_"):
                del sys.modules[name]
        for name, value in vars(catalogue()).items():  # in place: a fixture of a wider scope may hold one of them
            value.clear()
            value.update(before[name])


def process(*arguments: str, cwd: Path | None = None, imports: Sequence[Path] = ()) -> subprocess.CompletedProcess[str]:
    """Run ``maskbench`` in an interpreter of its own, for 5 to 10 seconds more than :func:`command`.

    Args:
        imports: folders that it imports from before those of this process.
    """
    return subprocess.run(
        [*INTERPRETER, *arguments],
        cwd=cwd or CHECKOUT,
        env=own_environment(imports),
        capture_output=True,
        text=True,
        check=False,
    )


def own_environment(imports: Sequence[Path] = ()) -> dict[str, str]:
    """The environment of an interpreter that a test starts; ``imports`` as for :func:`process`."""
    paths = [*map(str, imports), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(paths)}
