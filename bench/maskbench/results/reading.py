"""How the table of cells is read: which rows stand for a result, and their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maskbench.metrics.metric import Family
from maskbench.results.schema import METHOD

ATTACKS: tuple[Family, ...] = ("restoration", "inference", "matching", "linkage", "person-linkage")
"""What attacks are judged for, as the column ``attack_kind`` has it."""

HEADLINE_SPLIT = {"": "owner_train", "sensitive": "owner_train", "target": "owner_test"}
"""Inferred label → where leakage counts: on what was outsourced; its target labels were given away with it."""


@dataclass(frozen=True)
class Value:
    """A number with its interval; ``attack`` names the attack it belongs to, where there is one."""

    value: float
    low: float
    high: float
    attack: str = ""


def grouped(rows: pd.DataFrame, *columns: str) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Values of some columns and the rows that have them, in the order of the rows; a missing value is one, too."""
    yield from rows.groupby(list(columns), sort=False, dropna=False, observed=True)


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Every row as column → value."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def methods(cells: pd.DataFrame) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """``name:parameters``, ratio (NaN where there is none) and rows of each method, in the order of the suite."""
    for (name, params, ratio), mine in grouped(cells, *METHOD):
        yield (f"{name}:{params}" if params else name), ratio, mine


def pooled(cells: pd.DataFrame) -> pd.DataFrame:
    """The rows over all seeds of attackers with all of their data."""
    return cells[cells["seed"].isna() & (cells["status"] == "ok") & (cells["aux_share"] == 1)]


def headline(cells: pd.DataFrame) -> pd.DataFrame:
    """Of ``pooled``, what attacks got on the split where it counts."""
    rows = pooled(cells)
    return rows[rows["attack_kind"].isin(ATTACKS) & (rows["split"] == rows["label"].map(HEADLINE_SPLIT))]


def read(rows: pd.DataFrame, metric: str) -> Value | None:
    """The value of a metric in rows that hold it once; None where it was not measured or is not defined."""
    found = np.flatnonzero(rows["metric"].to_numpy() == metric)
    if not found.size:
        return None
    value, low, high = (float(rows[name].to_numpy(np.float64)[found[0]]) for name in ("value", "ci_low", "ci_high"))
    return Value(value, low, high, str(rows["chosen"].iat[found[0]])) if np.isfinite(value) else None
