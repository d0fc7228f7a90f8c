"""Leakage as a curve: against the attacker's data, and against the share that is hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from maskbench.metrics.catalogue import MAIN
from maskbench.metrics.metric import Family
from maskbench.plugins.reserved import OPTIMUM, STRONGEST
from maskbench.results.reading import HEADLINE_SPLIT, grouped, methods, pooled
from maskbench.results.schema import DERIVED


@dataclass(frozen=True)
class Curve:
    """Values of one metric over x, ascending.

    Attributes:
        method: ``name:parameters``.
        label: the method, with its ratio where that does not change along the curve.
        role: of the method; controls are drawn as references.
        points: columns x, value, ci_low, ci_high.
        attack: whose curve it is, where it is that of one attack.
    """

    label: str
    method: str
    role: str
    points: pd.DataFrame
    attack: str = ""


def aux_curves(cells: pd.DataFrame, kind: Family) -> list[Curve]:
    """Against the share of its pictures that the attacker uses: for each method its strongest attack with a curve.

    The strongest is the one that gets most with all pictures. Empty where a run had one share alone.
    """
    rows = cells[cells["seed"].isna() & (cells["status"] == "ok") & ~cells["attack"].isin((*DERIVED, OPTIMUM))]
    rows = rows[(rows["attack_kind"] == kind) & (rows["split"] == rows["label"].map(HEADLINE_SPLIT))]
    rows = rows[rows["metric"] == MAIN[kind]]
    found = []
    for method, ratio, mine in methods(rows):
        curves = [part for _, part in grouped(mine, "attack", "label") if part["aux_share"].nunique() > 1]
        if curves:
            best = max(curves, key=_with_all)
            role, attack = str(best["role"].iloc[0]), str(best["attack"].iloc[0])
            found.append(Curve(_named(method, ratio), method, role, _points(best, "aux_share"), attack))
    return found


def ratio_curves(cells: pd.DataFrame, kind: Family) -> list[Curve]:
    """The strongest attack against the share that is hidden, of methods that were run with several."""
    rows = pooled(cells)
    if kind == "recognition":
        rows = rows[(rows["attack_kind"] == "none") & (rows["metric"] == "accuracy")]
    else:
        rows = rows[(rows["attack"] == STRONGEST) & (rows["attack_kind"] == kind) & (rows["metric"] == MAIN[kind])]
        rows = rows[rows["split"] == rows["label"].map(HEADLINE_SPLIT)]
    found = []
    for (name, params), part in grouped(rows, "method", "params"):
        if part["ratio"].nunique() > 1:
            method = f"{name}:{params}" if params else str(name)
            found.append(Curve(method, method, str(part["role"].iloc[0]), _points(part, "ratio")))
    return found


def labelled(curves: Sequence[Curve], names: Mapping[str, str]) -> list[Curve]:
    """The curves as they are drawn: with short names, those that coincide as one, and the attack where it differs.

    Args:
        names: method → its short name.
    """
    several = len({curve.attack for curve in curves}) > 1
    found: list[Curve] = []
    for curve in curves:
        label = names[curve.method] + curve.label.removeprefix(curve.method)
        label += f": {curve.attack}" if several and curve.attack else ""
        at = next((number for number, other in enumerate(found) if _coincide(curve, other)), None)
        if at is None:
            found.append(replace(curve, label=label))
        else:
            found[at] = replace(found[at], label=f"{found[at].label}, {label}")
    return found


def _coincide(one: Curve, other: Curve) -> bool:
    values = [curve.points[["x", "value"]].to_numpy(np.float64) for curve in (one, other)]
    return one.role == other.role and values[0].shape == values[1].shape and np.allclose(*values, rtol=0, atol=1e-9)


def _with_all(rows: pd.DataFrame) -> float:
    """The value at the largest share of the attacker's pictures."""
    return float(rows["value"].to_numpy(np.float64)[rows["aux_share"].argmax()])


def _points(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    named = rows.rename(columns={x: "x"})[["x", "value", "ci_low", "ci_high"]]
    return named.sort_values("x").reset_index(drop=True)


def _named(method: str, ratio: float) -> str:
    return method if pd.isna(ratio) else f"{method} {ratio:.0%}"
