"""What a run measured and a comparison passes over, by name and with the reason: silence would pass for a check."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from maskbench.gate.outcomes import CellKey, CellOutcomes
from maskbench.gate.tolerances import relative
from maskbench.metrics.catalogue import metric_of
from maskbench.plugins.reserved import ORACLE, STRONGEST
from maskbench.results.reading import HEADLINE_SPLIT
from maskbench.results.schema import CELL, PROBABILITIES

NO_RESULT = "it says how an attack was trained, not what it found"
RELATIVE = "relative to another cell; what it is made of is compared"
OF_ORACLE = "the oracle sees the answer; it is a bound and no attack"
OTHER_ATTACKS = "the runs have other attacks to choose from"
NO_PROBABILITIES = "one of the runs holds no class probabilities: update the baseline"
NOT_THERE = "one of the runs has no outcomes of single images for it"


@dataclass(frozen=True)
class Uncompared:
    """A metric, or all metrics of an attack, that some cells hold and that is not compared there."""

    what: str
    cells: int
    reason: str


def uncompared(
    cells: pd.DataFrame,
    compared: Collection[tuple[CellKey, str]],
    baseline: Mapping[CellKey, CellOutcomes],
    current: Mapping[CellKey, CellOutcomes],
    matched: Collection[CellKey],
) -> list[Uncompared]:
    """Find what is not compared of the cells that both runs have.

    Args:
        cells: of the current run.
        compared: cell and metric of every row.
        matched: the cells that both runs have.
    """
    methods = {key.method_key for key in matched}
    found: dict[tuple[str, str], set[CellKey]] = {}
    for key, metric in _held(cells):
        derived = key.attack in (STRONGEST, ORACLE)
        if (key, metric) in compared or (key.method_key not in methods if derived else key not in matched):
            continue
        sides = [side.get(key) for side in (baseline, current)]
        reason = _reason(key, metric, sides)
        found.setdefault((ORACLE if reason == OF_ORACLE else metric, reason), set()).add(key)
    return [Uncompared(what, len(keys), reason) for (what, reason), keys in found.items()]


def _held(cells: pd.DataFrame) -> Iterator[tuple[CellKey, str]]:
    """Cell and metric of every value that the run reports on the split where it counts."""
    counted = cells["split"] == cells["label"].map(HEADLINE_SPLIT)
    rows = cells[counted & (cells["status"] == "ok") & cells["value"].notna()].drop_duplicates([*CELL, "metric"])
    for *values, metric in rows[[*CELL, "metric"]].astype(object).itertuples(index=False, name=None):
        yield CellKey.of(values), metric


def _reason(key: CellKey, metric: str, sides: Iterable[CellOutcomes | None]) -> str:
    if not metric_of(key.family, metric).compared:
        return NO_RESULT
    if relative(metric):
        return RELATIVE
    if key.attack == ORACLE:
        return OF_ORACLE
    there = [side for side in sides if side is not None]
    if key.attack == STRONGEST and len(there) < 2:
        return OTHER_ATTACKS
    stated = [PROBABILITIES in side.columns for side in there]
    if key.family == "inference" and metric_of(key.family, metric).selected and not all(stated):
        return NO_PROBABILITIES
    return NOT_THERE
