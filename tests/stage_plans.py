"""Plans of a few quick stages, without data and networks, and ways to run them in worker processes.

Each worker imports this module, so it imports little.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from maskbench.artifacts.store import Artifact, Store
from maskbench.executors.executor import Observer, Silent, StageOutcome
from maskbench.executors.workers.driver import WorkersExecutor
from maskbench.planning.plan import Plan
from maskbench.stages.stage import Context, Stage

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Leaf(Stage):
    """Writes down that it runs, does what its subclass does, and gives back a number."""

    kind: ClassVar[str] = "leaf"

    name: str
    journal: str = ""
    needs: tuple[Stage, ...] = ()
    seconds: float = 0.0
    limit: float | None = None

    @property
    def time_limit(self) -> float | None:
        """As given."""
        return self.limit

    def inputs(self) -> Mapping[str, Stage]:
        return {f"input/{number}": stage for number, stage in enumerate(self.needs)}

    def parameters(self) -> Mapping[str, Any]:
        return {"name": self.name}

    def title(self) -> str:
        return self.name

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        self.write("begins")
        self.does()
        time.sleep(self.seconds)
        self.write("ends")
        total = sum((artifact.tensors["value"] for artifact in inputs.values()), torch.ones(1))
        return Artifact({"value": total}, {"process": os.getpid()})

    def does(self) -> None:
        """What it does besides."""

    def write(self, what: str) -> None:
        """Append a line to the journal: its name, what happens, the time."""
        if self.journal:
            descriptor = os.open(self.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, f"{self.name} {what} {time.monotonic()}\n".encode())
            os.close(descriptor)


def written(journal: Path) -> list[tuple[str, str, float]]:
    """The lines of a journal."""
    lines = (line.split() for line in journal.read_text().splitlines()) if journal.exists() else ()
    return [(name, what, float(moment)) for name, what, moment in lines]


def executed(
    stages: Mapping[Stage, int], store: Path, jobs: int = 1, observer: Observer | None = None, **options: Any
) -> dict[str, StageOutcome]:
    """Have stages with their ranks made by worker processes; title → outcome."""
    plan = Plan("cpu")
    for stage, rank in stages.items():
        plan.add(stage, rank)
    executor = WorkersExecutor(Store(store), CPU, jobs, **options)
    outcomes = executor.execute(plan, observer or Silent())
    return {outcome.step.stage.title(): outcome for outcome in outcomes.values()}
