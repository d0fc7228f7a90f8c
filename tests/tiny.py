"""A suite that runs in seconds, and how tests run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch
from maskbench.executors.local import Outcome
from maskbench.planning.plan import Step
from maskbench.planning.suite import Suite, validate
from maskbench.running import Run, execute
from trees import CHECKOUT

CPU = torch.device("cpu")
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
    """A suite on 300 digits, with two epochs of everything and one seed."""
    content = {
        "name": "tiny",
        "data": {"source": "digits", "limit": 300},
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


def command(*arguments: str, cwd: Path | None = None, imports: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``maskbench`` in a process of its own; ``imports``: a folder that it imports the source from."""
    environment = {**os.environ, "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"}
    if imports is not None:
        environment["PYTHONPATH"] = str(imports)
    call = [sys.executable, "-c", "from maskbench.cli.main import main; main()", *arguments]
    return subprocess.run(call, cwd=cwd or CHECKOUT, env=environment, capture_output=True, text=True, check=False)
