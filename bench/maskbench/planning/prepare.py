"""From a suite to its matrix and the plan of its work."""

from __future__ import annotations

from maskbench.data.load import resolve
from maskbench.numerics import Numerics
from maskbench.planning.matrix import Matrix, expand
from maskbench.planning.plan import Plan
from maskbench.planning.suite import Suite


def prepare(suite: Suite, device_type: str, numerics: Numerics | None = None) -> tuple[Matrix, Plan]:
    """Check everything that the user asked for, before anything is computed or written.

    Raises:
        UsageError: anything in the suite that does not exist or does not fit.
    """
    matrix = expand(suite, resolve(suite.data))
    plan = Plan(device_type, numerics or Numerics())
    plan.add(matrix.data)
    for cell in sorted(matrix.cells, key=lambda cell: cell.seed):  # the first seed's results come first
        if cell.scoring is not None:
            plan.add(cell.scoring, rank=cell.seed)
    return matrix, plan
