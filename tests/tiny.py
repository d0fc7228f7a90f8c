"""A suite that runs in seconds, and how tests run it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
import torch
from maskbench.cli import main as entry
from maskbench.executors.local import Outcome
from maskbench.planning.plan import Step
from maskbench.planning.suite import Suite, validate
from maskbench.plugins.discovery import catalogue
from maskbench.running import Run, execute
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

    def progressed(self, step: Step, share: float) -> None:
        """See ``Observer``."""

    def finished(self, outcome: Outcome) -> None:
        """See ``Observer``."""
        self.outcomes[outcome.source].append(outcome.step.stage.title())


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


def run(suite: Suite, store: Path) -> tuple[Run, Log]:
    """Run a suite in this process."""
    log = Log()
    return execute(suite, store, CPU, log), log


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
    """Forget the plug-in files that are loaded in this block."""
    before = dict(catalogue().found) if catalogue.cache_info().currsize else None
    modules = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - modules:
            if name.startswith("maskbench_plugin_"):
                del sys.modules[name]
        if before is None:
            catalogue.cache_clear()
        else:
            catalogue().found.clear()
            catalogue().found.update(before)


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
