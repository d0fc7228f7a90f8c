"""Executing a suite: its steps are made, and what came of them is what results are made from."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from maskbench.artifacts.store import Artifact
from maskbench.data.load import source_name
from maskbench.errors import UsageError
from maskbench.executors.executor import MISSING, Executor, Observer, StageOutcome
from maskbench.numerics import Numerics
from maskbench.planning.matrix import Matrix
from maskbench.planning.plan import Plan
from maskbench.planning.prepare import prepare
from maskbench.planning.sharding import Shard, part_of
from maskbench.planning.suite import Suite
from maskbench.results.execution import Execution
from maskbench.results.provisional import FirstSeed, of_first_seed
from maskbench.results.timings import covered


def execute(
    suite: Suite,
    executor: Executor,
    observer: Observer,
    shard: Shard | None = None,
    tell_of_first_seed: Callable[[Execution], None] | None = None,
    numerics: Numerics | None = None,
) -> Execution:
    """Make every stage of a suite, or of a shard of it.

    Cells fail alone; what was done before is found in the store.

    Args:
        tell_of_first_seed: told what came of it once it is done, in another thread, while the others are made.
        numerics: how a GPU rounds; None: the defaults.
    """
    started = time.perf_counter()
    matrix, plan = prepare(suite, executor.device.type, numerics)
    part = None if shard is None else part_of(shard, matrix, plan)
    if part is not None:
        matrix, plan = part.matrix, part.plan
    if tell_of_first_seed is None or part is not None:
        outcomes = executor.execute(plan, observer)
    else:
        outcomes = _execute_telling(tell_of_first_seed, matrix, plan, executor, observer)
    data = _data(matrix, plan, outcomes, executor)
    total = time.perf_counter() - started
    made = [outcome.timing for outcome in outcomes.values() if outcome.source == "computed"]
    computed = sum(timing["seconds"] for timing in made)
    seconds = {"total": total, "stages": computed, "outside": max(0.0, total - covered(made))}
    return Execution(matrix, plan, outcomes, executor, data, seconds, part)


def _execute_telling(
    tell_of_first_seed: Callable[[Execution], None], matrix: Matrix, plan: Plan, executor: Executor, observer: Observer
) -> dict[str, StageOutcome]:
    """Execute a plan, and tell of the first seed meanwhile."""
    started = time.perf_counter()

    def tell(outcomes: Mapping[str, StageOutcome]) -> None:
        data = _data(matrix, plan, outcomes, executor)
        seconds = {"total": time.perf_counter() - started, "stages": 0.0, "outside": 0.0}
        tell_of_first_seed(Execution(of_first_seed(matrix), plan, outcomes, executor, data, seconds))

    watching = FirstSeed(observer, matrix, plan, tell)
    try:
        return executor.execute(plan, watching)
    finally:
        watching.wait()


def _data(matrix: Matrix, plan: Plan, outcomes: Mapping[str, StageOutcome], executor: Executor) -> Artifact:
    key = plan.key(matrix.data)
    if outcomes[key].source in MISSING:
        # Data that cannot be read are wrong use, not a failed cell: nothing else could run.
        raise UsageError(outcomes[key].reason)
    found = executor.read(key)
    return Artifact(found.tensors, {**found.record, "name": source_name(matrix.data.options)})
