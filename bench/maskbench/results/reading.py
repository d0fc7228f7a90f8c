"""How the table of cells is read: which rows stand for a result, and their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from maskbench.results.schema import METHOD

ATTACKS = ("restoration", "inference")
"""What attacks give back, as the column ``attack_kind`` has it."""

HEADLINE_SPLIT = {"": "owner_train", "sensitive": "owner_train", "target": "owner_test"}
"""Inferred label → where leakage counts: on what was outsourced; its target labels were given away with it."""


@dataclass(frozen=True)
class Value:
    """A number with its interval; ``attack`` names the attack it belongs to, where there is one."""

    value: float
    low: float
    high: float
    attack: str = ""


def methods(cells: pd.DataFrame) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """``name:parameters``, ratio (NaN where there is none) and rows of each method, in the order of the suite."""
    for (name, params, ratio), mine in cells.groupby(list(METHOD), sort=False, dropna=False):
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
    if not found.size or not np.isfinite(rows["value"].iat[found[0]]):
        return None
    value, low, high, chosen = (rows[name].iat[found[0]] for name in ("value", "ci_low", "ci_high", "chosen"))
    return Value(float(value), float(low), float(high), str(chosen))
