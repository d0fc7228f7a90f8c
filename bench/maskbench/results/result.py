"""A cell and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maskbench.artifacts.store import Artifact
from maskbench.executors.local import MISSING, Outcome
from maskbench.planning.cell import Cell
from maskbench.planning.matrix import Matrix
from maskbench.planning.plan import Plan
from maskbench.results.estimates import Outcomes


@dataclass(frozen=True)
class Result:
    """A cell with its outcomes by split and column, or with a reason why there are none."""

    cell: Cell
    status: str
    reason: str
    key: str
    artifact: Artifact | None

    def validation(self, split: str) -> float:
        """The score by which the attacker, without seeing the owner's pictures, ranks its attacks on a split."""
        return float(self.artifact.record["validation"][split])

    def columns(self, split: str) -> Outcomes:
        """Column → (images,) on a split; empty where the cell is not scored there."""
        prefix = f"{split}/"
        return {
            name.removeprefix(prefix): tensor.numpy()
            for name, tensor in self.artifact.tensors.items()
            if name.startswith(prefix)
        }


def results(
    matrix: Matrix, plan: Plan, outcomes: Mapping[str, Outcome], read: Callable[[str], Artifact]
) -> list[Result]:
    """Match every cell with the outcome of its scoring stage."""
    found = []
    for cell in matrix.cells:
        if cell.scoring is None:
            found.append(Result(cell, "unavailable", cell.unavailable or "", "", None))
            continue
        key = plan.key(cell.scoring)
        outcome = outcomes[key]
        if outcome.source in MISSING:
            found.append(Result(cell, outcome.source, outcome.reason, key, None))
        else:
            found.append(Result(cell, "ok", "", key, read(key)))
    return found
