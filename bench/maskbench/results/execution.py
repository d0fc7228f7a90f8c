"""A suite that was executed: what results are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maskbench.artifacts.store import Artifact
from maskbench.executors.executor import Executor, StageOutcome
from maskbench.planning.matrix import Matrix
from maskbench.planning.plan import Plan
from maskbench.planning.sharding import Part


@dataclass(frozen=True)
class Execution:
    """A matrix, its plan, and what became of every step.

    Attributes:
        outcomes: key → what became of the step.
        executor: hands out the artifacts of those that were made.
        data: the data artifact: images, labels, splits; its record has names and classes.
        seconds: wall time by part: total, stages (work done in this run), outside (planning, store).
        part: where a shard of the suite was executed, which one; matrix and plan are the shard's, then.
    """

    matrix: Matrix
    plan: Plan
    outcomes: Mapping[str, StageOutcome]
    executor: Executor
    data: Artifact
    seconds: Mapping[str, float]
    part: Part | None = None

    @property
    def classes(self) -> dict[str, int]:
        """Label (target, sensitive) → its number of classes; 0 where there is none."""
        return {label: len(self.data.record[f"{label}_classes"]) for label in ("target", "sensitive")}

    @property
    def failures(self) -> str:
        """Title and traceback of every stage that failed, as text."""
        traces = [
            f"{outcome.step.stage.title()}\n{outcome.trace}" for outcome in self.outcomes.values() if outcome.trace
        ]
        return "\n".join(traces)
