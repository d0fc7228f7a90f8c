"""Which cells of two runs belong together, and why others do not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from maskbench.gate.outcomes import CellKey
from maskbench.plugins.reserved import RESERVED
from maskbench.results.measure import planned_of
from maskbench.results.schema import CELL
from maskbench.runfolder.folder import RunFolder

State = Literal["compare", "missing", "failed", "not run", "new"]


@dataclass(frozen=True)
class Planned:
    """One cell as a run planned it.

    Attributes:
        role: of its method: method, raw or null.
        statuses: seed → ok, failed or unavailable.
        reason: of the seeds that are not ok.
        keys: seed → key of the scoring stage.
    """

    role: str
    statuses: Mapping[int, str]
    reason: str
    keys: Mapping[int, str]

    @property
    def status(self) -> str:
        """The worst of its seeds."""
        found = set(self.statuses.values())
        return next(status for status in ("failed", "unavailable", "ok") if status in found)


@dataclass(frozen=True)
class Match:
    """A cell of either run, and whether it can be compared."""

    key: CellKey
    baseline: Planned | None
    current: Planned | None
    state: State
    reason: str = ""

    @property
    def role(self) -> str:
        """Of the method."""
        found = self.current or self.baseline
        return found.role if found else "method"


def planned(cells: pd.DataFrame) -> dict[CellKey, Planned]:
    """The cells that a run planned."""
    found: dict[CellKey, list[tuple[str, int, str, str, str]]] = {}
    columns = [*CELL, "role", "seed", "status", "reason", "stage_key"]
    # Row by row: a table for each of thousands of cells takes far longer.
    rows = planned_of(cells)[columns].astype({"seed": "int64"}).astype(object)
    for *values, role, seed, status, reason, key in rows.itertuples(index=False, name=None):
        found.setdefault(CellKey.of(values), []).append((role, int(seed), status, reason, key))
    return {key: _planned(seeds) for key, seeds in found.items()}


def _planned(seeds: Sequence[tuple[str, int, str, str, str]]) -> Planned:
    return Planned(
        seeds[0][0],
        {seed: status for _, seed, status, _, _ in seeds},
        next((reason for _, _, _, reason, _ in seeds if reason), ""),
        {seed: key for _, seed, _, _, key in seeds},
    )


def matched(baseline: RunFolder, current: RunFolder) -> Iterator[Match]:
    """Every cell of either run, in the order of the baseline."""
    old, new = _Run.of(baseline), _Run.of(current)
    for key in dict.fromkeys([*old.cells, *new.cells]):
        before, after = old.cells.get(key), new.cells.get(key)
        state, reason = _state(key, before, after, old, new)
        yield Match(key, before, after, state, reason)


@dataclass(frozen=True)
class _Run:
    """What a run planned: its cells, its methods by their keys, and the attacks that it names."""

    cells: Mapping[CellKey, Planned]
    methods: Collection[tuple[str, str, float | None]]
    attacks: frozenset[str]

    @classmethod
    def of(cls, run: RunFolder) -> _Run:
        cells = planned(run.cells)
        return cls(cells, {key.method_key for key in cells}, frozenset(run.provenance["attacks"]))

    def meant(self, key: CellKey, other: _Run) -> bool:
        """Whether the run should have a cell of the other: by its method and attack, it is none that was left out."""
        if key.method_key not in self.methods:
            return False
        if key.attack in RESERVED:
            return other.attacks <= self.attacks
        return key.attack in self.attacks


def _state(key: CellKey, before: Planned | None, after: Planned | None, old: _Run, new: _Run) -> tuple[State, str]:
    if after is not None and after.status == "failed":
        return "failed", after.reason
    if after is None:
        return ("missing", "the current run has no such cell") if new.meant(key, old) else ("not run", "")
    if before is None:
        return ("missing", "the baseline has no such cell") if old.meant(key, new) else ("new", "")
    if before.status == "failed":
        return "missing", f"it failed in the baseline: {before.reason}"
    if "unavailable" in (before.status, after.status):
        if before.status == after.status:
            return "not run", after.reason
        where = "current run" if after.status == "unavailable" else "baseline"
        return "missing", f"it could not run in the {where}: {after.reason or before.reason}"
    return "compare", ""
