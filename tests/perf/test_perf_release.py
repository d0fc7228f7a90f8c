"""A release of four times the images takes about four times as long, however many batches they make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from maskbench.artifacts.store import Store
from maskbench.data.load import resolve
from maskbench.planning.matrix import expand
from maskbench.stages.stage import Context
from maskbench.stages.trial import Trial
from pairs import CPU, in_turn, report
from pytest_benchmark.fixture import BenchmarkFixture
from tiny import tiny

FEW, MORE = 4_000, 4
MOST = 5.0
"""Times the time for ``MORE`` times the images."""


def _release(pictures: int, store: Store) -> Callable[[], object]:
    """The stage that releases so many pictures, which lie in the store."""
    suite = tiny(["random"], data={"source": f"calibrated:family=gaussian-linear,pictures={pictures}"})
    matrix = expand(suite, resolve(suite.data))
    key = f"{pictures:064x}"
    store.save(key, matrix.data.run({}, Context(CPU)), {})
    stage = Trial(matrix.data, matrix.methods[-1], suite.settings, 0).release("owner")
    return lambda: stage.run({"data": store.load(key)}, Context(CPU))


def test_a_release_grows_with_its_images(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    store = Store(tmp_path)
    few, many = _release(FEW, store), _release(MORE * FEW, store)
    pairs = in_turn(benchmark, many, few, rounds=5)
    report(benchmark, images_per_second=round(MORE * FEW / min(pairs.ours)))
    assert pairs.slowdown <= MOST
