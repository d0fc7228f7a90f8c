"""Shards: the parts of a suite that separate processes run, each without knowing of the others.

The division follows from the suite and the data alone, so every process finds the same one. A *trial* (a method under
a seed) stays whole, since most of its stages serve no other one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from maskbench.artifacts.fingerprint import digest
from maskbench.errors import UsageError
from maskbench.planning.cell import Cell
from maskbench.planning.matrix import Matrix
from maskbench.planning.plan import Plan
from maskbench.planning.work import expected_work
from maskbench.plugins.method import Method

_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """Which part of a suite: ``number`` of 1 … ``of``."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/8``.

        Raises:
            UsageError: it is not written so, or there is no such shard.
        """
        found = _SHARD.fullmatch(text)
        number, of = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= of:
            raise UsageError(f"--shard {text}: write I/N with I from 1 to N, such as 3/8 for the third of eight.")
        return cls(number, of)


@dataclass(frozen=True)
class Trial:
    """A method under a seed; ``place`` is its number among all trials of the suite, from 0."""

    place: int
    method: Method
    seed: int


@dataclass(frozen=True)
class Part:
    """One shard of a suite.

    Attributes:
        trials: those of the shard, of ``trials_in_all`` of the suite.
        run: sha-256 of the keys of all shards' stages: equal for the shards of one suite, data, code and device type.
        matrix, plan: those of the suite, with the cells and the steps of the shard alone.
    """

    shard: Shard
    trials: tuple[Trial, ...]
    trials_in_all: int
    run: str
    matrix: Matrix
    plan: Plan


def part_of(shard: Shard, matrix: Matrix, plan: Plan) -> Part:
    """The cells and steps of a shard.

    Args:
        matrix, plan: of the whole suite.

    Raises:
        UsageError: there are more shards than can be filled.
    """
    trials: dict[tuple[Method, int], Trial] = {}
    for cell in matrix.cells:
        trials.setdefault((cell.method, cell.seed), Trial(len(trials), cell.method, cell.seed))
    units = _units(matrix, plan)
    if shard.of > len(units):
        raise UsageError(
            f"--shard {shard}: the suite divides into {len(units)} shards at most, since a method under a seed is not "
            "divided."
        )
    chosen = _divided(units, plan, shard.of)[shard.number - 1]
    cells = tuple(cell for cell in matrix.cells if _unit_of(cell) in chosen)
    needed = {plan.key(matrix.data)}.union(*(units[name] for name in chosen))
    return Part(
        shard,
        tuple(dict.fromkeys(trials[cell.method, cell.seed] for cell in cells)),
        len(trials),
        digest(sorted(plan.steps)),
        replace(matrix, cells=cells),
        replace(plan, steps=plan.needed(needed)),
    )


_Unit = tuple[str, int]
"""What is not divided: the methods that share their releases, by their common label, under one seed."""


def _unit_of(cell: Cell) -> _Unit:
    return cell.method.label(leave_out=("adjust",)), cell.seed


def _units(matrix: Matrix, plan: Plan) -> dict[_Unit, set[str]]:
    """Unit → the keys of all steps that it needs."""
    needed: dict[str, frozenset[str]] = {}
    for key, step in plan.steps.items():  # inputs come before their use
        needed[key] = frozenset({key}).union(*(needed[given] for given in step.inputs.values()))
    units: dict[_Unit, set[str]] = {}
    for cell in matrix.cells:
        keys = units.setdefault(_unit_of(cell), set())
        if cell.scoring is not None:
            keys |= needed[plan.key(cell.scoring)]
    return units


def _divided(units: dict[_Unit, set[str]], plan: Plan, of: int) -> list[set[_Unit]]:
    """Give each unit, the largest first, to the shard that has the least to do with it, shared steps counted once."""
    work = {key: expected_work(step.stage) for key, step in plan.steps.items()}

    def total(keys: set[str]) -> float:
        # In one order: the sum of floats depends on it, and sets have another in every process.
        return sum(work[key] for key in sorted(keys))

    held: list[set[str]] = [set() for _ in range(of)]
    loads, shards = [0.0] * of, [set[_Unit]() for _ in range(of)]
    for name in sorted(units, key=lambda name: -total(units[name])):
        after = [load + total(units[name] - mine) for load, mine in zip(loads, held, strict=True)]
        least = min(range(of), key=lambda number: (after[number], len(shards[number]), number))
        held[least] |= units[name]
        loads[least] = after[least]
        shards[least].add(name)
    return shards
