"""A suite divides into shards: every cell in one of them, trials whole, evenly, and the same for every process."""

from __future__ import annotations

import subprocess
import sys

import pytest
from maskbench import UsageError
from maskbench.planning.cell import Cell
from maskbench.planning.matrix import Matrix
from maskbench.planning.plan import Plan
from maskbench.planning.prepare import prepare
from maskbench.planning.sharding import Part, Shard, part_of
from maskbench.planning.suite import load
from maskbench.planning.work import expected_work
from tiny import command, own_environment, tiny

METHODS = ("random", "random:adjust=masknet", "pixelate")


def parts(matrix: Matrix, plan: Plan, of: int) -> list[Part]:
    return [part_of(Shard(number, of), matrix, plan) for number in range(1, of + 1)]


def work(plan: Plan) -> float:
    return sum(expected_work(step.stage) for step in plan.steps.values())


def named(cell: Cell) -> tuple[str, str, str | None, int]:
    return cell.method.label(), cell.attack_name, cell.label, cell.seed


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "3/0", "-1/8", "1/8/2", "a/b", "1.5/2", "٣/8", "3 / 8"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write I/N with I from 1 to N"):
        Shard.parse(text)


def test_a_shard_is_read_as_it_is_written() -> None:
    assert Shard.parse("3/8") == Shard(3, 8) and str(Shard(3, 8)) == "3/8"


@pytest.mark.parametrize("of", [1, 2, 3, 8])
def test_every_cell_is_in_one_shard_and_in_its_order(of: int) -> None:
    matrix, plan = prepare(tiny(METHODS, seeds=2), "cpu")
    found = [[named(cell) for cell in part.matrix.cells] for part in parts(matrix, plan, of)]
    every = [named(cell) for cell in matrix.cells]
    assert sorted(cell for cells in found for cell in cells) == sorted(every)
    assert all(cells == [cell for cell in every if cell in cells] for cells in found)
    assert all(found)


def test_a_shard_plans_what_its_cells_need_and_no_more() -> None:
    matrix, plan = prepare(tiny(METHODS, seeds=2), "cpu")
    for part in parts(matrix, plan, 3):
        again = Plan("cpu")
        again.add(matrix.data)
        for cell in part.matrix.cells:
            if cell.scoring is not None:
                again.add(cell.scoring)
        assert set(part.plan.steps) == set(again.steps)
        assert part.plan.key(matrix.data) in part.plan.steps


def test_a_method_under_a_seed_stays_whole_with_all_that_share_its_releases() -> None:
    matrix, plan = prepare(tiny(METHODS, seeds=2), "cpu")
    for part in parts(matrix, plan, 8):
        held = {(trial.method.label(), trial.seed) for trial in part.trials}
        for seed in range(2):
            assert (("random:adjust=masknet", seed) in held) == (("random", seed) in held)
    places = [trial.place for part in parts(matrix, plan, 8) for trial in part.trials]
    assert sorted(places) == list(range(10))


def test_more_shards_than_can_be_filled_are_refused() -> None:
    matrix, plan = prepare(tiny(METHODS, seeds=2), "cpu")
    with pytest.raises(UsageError, match="divides into 8 shards at most"):
        part_of(Shard(1, 9), matrix, plan)


def test_shards_of_other_settings_are_of_another_run() -> None:
    runs = [
        part_of(Shard(1, 2), *prepare(tiny(**changes), "cpu")).run
        for changes in ({}, {}, {"settings": {"scored": 33}}, {"seeds": 2})
    ]
    assert runs[0] == runs[1] and len(set(runs)) == 3


@pytest.mark.parametrize("of", [2, 4, 8])
def test_shards_are_even_and_repeat_little(of: int) -> None:
    matrix, plan = prepare(load("standard"), "cpu")
    loads = [work(part.plan) for part in parts(matrix, plan, of)]
    assert max(loads) < 1.1 * sum(loads) / of
    assert sum(loads) < 1.35 * work(plan)


@pytest.mark.slow
def test_every_process_divides_alike() -> None:
    code = (
        "from maskbench.planning.sharding import Shard, part_of\n"
        "from maskbench.planning.suite import load\n"
        "from maskbench.planning.prepare import prepare\n"
        "whole = prepare(load('quick'), 'cpu')\n"
        "for number in range(1, 6):\n"
        "    print(sorted(part_of(Shard(number, 5), *whole).plan.steps))\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**own_environment(), "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    first, second = (process.communicate()[0] for process in started)
    assert first == second and first.count("\n") == 5


def test_the_command_says_what_is_wrong_with_a_shard() -> None:
    done = command("run", "quick", "--shard", "9/8")
    assert done.returncode == 2 and "--shard 9/8: write I/N" in done.stderr
    done = command("merge")
    assert done.returncode == 2
