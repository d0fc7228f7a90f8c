"""Planning grows with the cells of a suite, the tables with those of a run: four times as many, five times the time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from maskbench.planning.prepare import prepare
from maskbench.planning.suite import Suite, validate
from maskbench.report.write import write_tables
from maskbench.results.flags.find import find_flags
from maskbench.runfolder.folder import RunFolder
from pairs import in_turn, report
from pytest_benchmark.fixture import BenchmarkFixture
from tiny import EVERYTHING, tiny
from tiny import run as run_suite

MORE = 4
MOST = 5.0
"""Times the time for ``MORE`` times the cells."""


def _suite(ratios: int) -> Suite:
    content = {
        "name": "many",
        "methods": ["random", "saliency:attribution=grad-cam"],
        "attacks": list(EVERYTHING),
        "ratios": [0.1 + 0.8 * number / ratios for number in range(ratios)],
        "seeds": 2,
    }
    return validate(content, "many")


def test_planning_grows_with_the_cells(benchmark: BenchmarkFixture) -> None:
    few, many = _suite(6), _suite(6 * MORE)
    pairs = in_turn(benchmark, lambda: prepare(many, "cpu"), lambda: prepare(few, "cpu"), rounds=5)
    matrix, _ = prepare(many, "cpu")
    report(benchmark, cells_per_second=round(len(matrix.cells) / min(pairs.ours)))
    assert pairs.slowdown <= MOST


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    attacks = ("released", "mean-fill", "adaptive", "mask-only")
    return run_suite(tiny(("random",), attacks), tmp_path_factory.mktemp("store"))[0].folder


def test_tables_grow_with_the_cells(benchmark: BenchmarkFixture, run: RunFolder, tmp_path: Path) -> None:
    few, many = _repeated(run, 4), _repeated(run, 4 * MORE)
    pairs = in_turn(
        benchmark,
        lambda: write_tables(many, tmp_path / "many"),
        lambda: write_tables(few, tmp_path / "few"),
        rounds=3,
    )
    report(benchmark, rows_per_second=round(len(many.cells) / min(pairs.ours)))
    assert pairs.slowdown <= MOST


def _repeated(run: RunFolder, times: int) -> RunFolder:
    """The same run with so many methods for each of its own."""
    several = [run.cells.assign(params=run.cells["params"] + f"copy={number}") for number in range(times)]
    cells = pd.concat(several, ignore_index=True)
    return replace(run, cells=cells, flags=tuple(find_flags(cells)))
