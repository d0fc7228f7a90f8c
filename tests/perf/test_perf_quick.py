"""The suite quick stays a first look: little work, shared by its cells, done by two cores at a fair speed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from counted_work import CountedWork
from maskbench.artifacts.store import Store
from maskbench.executors.choose import choose_executor
from maskbench.executors.executor import Silent
from maskbench.executors.local import LocalExecutor
from maskbench.planning.plan import Plan
from maskbench.planning.suite import Suite, load
from maskbench.results.execute import execute
from maskbench.results.execution import Execution
from pairs import CPU, in_turn, report
from pytest_benchmark.fixture import BenchmarkFixture
from tiny import own_environment
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from two_processes import BareProcesses, skip_unless_steady

MOST_WORK = 3e12
"""Floating-point operations of all stages, forward and backward, as PyTorch counts them: products and convolutions."""
LEAST_SHARE = 0.25
"""Of what two bare processes do together in float32 products of square matrices."""
LEAST_SHARING = 5.0
"""Times the time of its stages that the cells would take if each were run alone, with a store of its own."""

LEAST_SPEEDUP = 0.85
"""Of the speed-up of two bare processes over one: 1.7 where the second core is whole."""
MOST_IMPORTS = 3.0
IMPORTS = """
from pathlib import Path
import pandas, pyarrow.parquet, sklearn.datasets, torch
from maskbench.artifacts.store import Store
from maskbench.executors.executor import Silent
from maskbench.executors.local import LocalExecutor
from maskbench.planning.suite import load
from maskbench.report.write import write_tables
from maskbench.runfolder.folder import RunFolder
from maskbench.results.execute import execute
from maskbench.running import results_of
"""
FOUND_AGAIN = """
execution = execute(load("quick"), LocalExecutor(Store(Path({store!r})), torch.device("cpu")), Silent())
assert all(outcome.source == "stored" for outcome in execution.outcomes.values())
results_of(execution).write(Path({folder!r}))
write_tables(RunFolder.read(Path({folder!r})), Path({folder!r}))
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Counted:
    """A whole run of quick in this process.

    Attributes:
        work: floating-point operations of all stages.
    """

    execution: Execution
    work: float


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return _counted(load("quick"), tmp_path_factory.mktemp("store"))


def _counted(suite: Suite, store: Path) -> Counted:
    with CountedWork() as work:
        execution = execute(suite, LocalExecutor(Store(store), CPU), Silent())
    return Counted(execution, work.total)


@pytest.mark.parametrize("inference", [False, True])
def test_work_is_counted_as_pytorch_does(inference: bool) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 6 * 6, 10))
    shown = torch.rand(4, 3, 8, 8)

    def work() -> None:
        with torch.inference_mode(inference):
            answered = torch.softmax(network(shown) @ torch.rand(10, 10), 1).square().sum()
        if not inference:
            answered.backward()

    counted, expected = CountedWork(), FlopCounterMode(display=False)
    for counter in (counted, expected):
        with counter:
            work()
    assert counted.total == expected.get_total_flops() > 0


def test_it_is_little_work(tmp_path: Path) -> None:
    """Counted for one seed, since counting takes long; what seeds share counts once for each."""
    quick = load("quick")
    one = _counted(quick.model_copy(update={"seeds": 1}), tmp_path)
    assert all(outcome.source == "computed" for outcome in one.execution.outcomes.values())
    work = quick.seeds * one.work
    print(f"quick: at most {work / 1e12:.2f} TFLOP")
    assert 0.5e12 < work <= MOST_WORK  # far less would mean that something is not counted


def test_its_cells_share_their_work(benchmark: BenchmarkFixture, counted: Counted) -> None:
    plan, outcomes = counted.execution.plan, counted.execution.outcomes
    took = {key: outcome.timing["seconds"] for key, outcome in outcomes.items()}
    cells = [cell.scoring for cell in counted.execution.matrix.cells if cell.scoring is not None]

    def alone() -> float:
        return sum(sum(took[key] for key in _needed(plan, plan.key(scoring))) for scoring in cells)

    shared = benchmark.pedantic(alone, rounds=1) / sum(took.values())
    report(benchmark, cells=len(cells), times_its_time_alone=round(shared, 1))
    assert shared >= LEAST_SHARING


def test_two_workers_keep_two_cores_busy(benchmark: BenchmarkFixture, counted: Counted, tmp_path: Path) -> None:
    """Artifacts are those of this process, bit by bit."""
    took: dict[int, float] = {}

    def run(jobs: int) -> None:
        executor = choose_executor(Store(tmp_path / str(jobs)), CPU, jobs)
        start = time.perf_counter()
        execution = execute(load("quick"), executor, Silent())
        took[jobs] = time.perf_counter() - start
        assert _checksums(execution) == _checksums(counted.execution)

    with BareProcesses() as bare:
        before = bare.speeds()
        benchmark.pedantic(run, args=(2,), rounds=1)
        run(1)
        after = bare.speeds()
    one, both = before[0] + after[0], before[1] + after[1]
    share, speedup = counted.work / took[2] / (both / 2), took[1] / took[2]
    report(
        benchmark,
        seconds_with_two_workers=round(took[2], 1),
        share_of_two_bare_processes=round(share, 3),
        times_one_worker=round(speedup, 2),
        two_bare_processes=round(both / one, 2),
    )
    if share < LEAST_SHARE or speedup < LEAST_SPEEDUP * both / one:
        skip_unless_steady(before, after)
    assert share >= LEAST_SHARE
    assert speedup >= LEAST_SPEEDUP * both / one


def test_a_run_that_is_found_whole_takes_little_more_than_the_imports(
    benchmark: BenchmarkFixture, counted: Counted, tmp_path: Path
) -> None:
    """In interpreters of their own; figures apart, which nothing waits for."""
    again = f"{IMPORTS}\n{FOUND_AGAIN.format(store=str(counted.execution.executor.store.root), folder=str(tmp_path))}"
    pairs = in_turn(benchmark, lambda: _interpreter(again), lambda: _interpreter(IMPORTS), rounds=3)
    assert pairs.slowdown <= MOST_IMPORTS


def _checksums(execution: Execution) -> Mapping[str, str]:
    store = execution.executor.store
    return {key: store.describe(key)["tensors_checksum"] for key in execution.plan.steps}


def _interpreter(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, env=own_environment())


def _needed(plan: Plan, key: str) -> set[str]:
    found: set[str] = set()
    left = [key]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left += plan.steps[each].inputs.values()
    return found
