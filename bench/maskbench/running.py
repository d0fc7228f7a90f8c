"""A run from suite to results: resolve, plan, execute, assemble."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maskbench.artifacts.store import Artifact, Store
from maskbench.data.load import resolve, source_name
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError
from maskbench.executors.local import MISSING, LocalExecutor, Observer, Outcome
from maskbench.planning.matrix import Matrix, expand
from maskbench.planning.plan import Plan
from maskbench.planning.suite import Suite
from maskbench.results.assemble import Tables, assemble
from maskbench.results.result import Result, results


@dataclass(frozen=True)
class Run:
    """Everything a report is made from.

    Attributes:
        record: the data artifact's record (names, classes, sizes, notes); empty where the data could not be read.
        seconds: wall time by part: total, stages (work done in this run), outside (planning, store, assembling).
    """

    matrix: Matrix
    plan: Plan
    outcomes: Mapping[str, Outcome]
    results: list[Result]
    tables: Tables
    record: Mapping[str, Any]
    executor: LocalExecutor
    seconds: Mapping[str, float]

    def artifact(self, key: str) -> Artifact:
        """An artifact of the run."""
        return self.executor.read(key)

    @property
    def failed(self) -> list[Result]:
        """The cells that failed."""
        return [result for result in self.results if result.status == "failed"]


def prepare(suite: Suite, device: torch.device) -> tuple[Matrix, Plan]:
    """Check everything that the user asked for, before anything is computed or written.

    Raises:
        UsageError: anything in the suite that does not exist or does not fit.
    """
    matrix = expand(suite, resolve(suite.data))
    plan = Plan(device.type)
    plan.add(matrix.data)
    for cell in matrix.cells:
        if cell.scoring is not None:
            plan.add(cell.scoring)
    return matrix, plan


def execute(suite: Suite, store_root: Path, device: torch.device, observer: Observer) -> Run:
    """Run a suite. Cells fail alone; what was done before is found in the store."""
    started = time.perf_counter()
    matrix, plan = prepare(suite, device)
    store = Store(store_root)
    store.sweep()
    executor = LocalExecutor(store, device)
    outcomes = executor.execute(plan, observer)
    data = _data(plan.key(matrix.data), matrix.data.options, outcomes, executor)
    found = results(matrix, plan, outcomes, executor.read)
    tables = assemble(matrix, found, data)
    total = time.perf_counter() - started
    computed = sum(outcome.timing["seconds"] for outcome in outcomes.values() if outcome.source == "computed")
    seconds = {"total": total, "stages": computed, "outside": total - computed}
    return Run(matrix, plan, outcomes, found, tables, data.record, executor, seconds)


def _data(key: str, options: DataOptions, outcomes: Mapping[str, Outcome], executor: LocalExecutor) -> Artifact:
    if outcomes[key].source in MISSING:
        # Data that cannot be read are wrong use, not a failed cell: nothing else could run.
        raise UsageError(outcomes[key].reason)
    found = executor.read(key)
    return Artifact(found.tensors, {**found.record, "name": source_name(options)})
