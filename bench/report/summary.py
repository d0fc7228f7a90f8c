"""The headline: one row a method, with what it keeps and what it leaks at worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.results.assemble import WORST_CASE


@dataclass(frozen=True)
class Value:
    """A number with its interval; ``attack`` names the attack it belongs to, where there is one."""

    value: float
    low: float
    high: float
    attack: str = ""


@dataclass(frozen=True)
class Row:
    """A method's headline. What is None was not measured, because a cell failed or does not apply.

    Attributes:
        accuracy, utility: on owner-test.
        shape: accuracy on the target label of a classifier that sees the masks alone.
        restoration: worst case, SSIM in the hole, on owner-train; ``psnr`` is the same attack's, whole image.
        inference: worst case, advantage on the sensitive label, on owner-train (without a sensitive label: on the
            target label, on owner-test).
        ok, total: cells that ran, of those that were planned.
    """

    method: str
    ratio: float
    accuracy: Value | None
    utility: Value | None
    shape: Value | None
    restoration: Value | None
    psnr: Value | None
    inference: Value | None
    ok: int
    total: int
    reasons: tuple[str, ...] = ()


def leakage_split(cells: pd.DataFrame) -> str:
    """Where inference is the headline: on what was outsourced, or on owner-test where the target label is inferred."""
    return "owner_train" if (cells["sensitive"] != "").any() else "owner_test"


def summarize(cells: pd.DataFrame) -> list[Row]:
    """One row for each method × ratio, in the order of the suite."""
    return [
        _row(method, params, ratio, mine, leakage_split(cells))
        for (method, params, ratio), mine in cells.groupby(["method", "params", "ratio"], sort=False, dropna=False)
    ]


def _row(method: str, params: str, ratio: float, mine: pd.DataFrame, split: str) -> Row:
    pooled = mine[mine["seed"].isna() & (mine["status"] == "ok")]
    recognition = pooled[pooled["attack_kind"] == "none"]
    worst = pooled[pooled["attack"] == WORST_CASE]
    restoration = worst[(worst["attack_kind"] == "restoration") & (worst["split"] == "owner_train")]
    inference = worst[(worst["attack_kind"] == "inference") & (worst["split"] == split)]
    shape = pooled[(pooled["probe"] == "shape") & (pooled["label"] == "target") & (pooled["split"] == "owner_test")]
    cells = mine[mine["attack"] != WORST_CASE].drop_duplicates(["attack", "label", "seed"])
    cells = cells[cells["seed"].notna()]
    reasons = tuple(dict.fromkeys(cells.loc[cells["status"] != "ok", "reason"]))
    return Row(
        method=f"{method}:{params}" if params else method,
        ratio=ratio,
        accuracy=_value(recognition, "accuracy"),
        utility=_value(recognition, "utility"),
        shape=_value(shape, "accuracy"),
        restoration=_value(restoration, "ssim_hole"),
        psnr=_value(restoration, "psnr"),
        inference=_value(inference, "advantage"),
        ok=int((cells["status"] == "ok").sum()),
        total=len(cells),
        reasons=reasons,
    )


def _value(rows: pd.DataFrame, metric: str) -> Value | None:
    found = rows[rows["metric"] == metric]
    if found.empty or not np.isfinite(found["value"].iloc[0]):
        return None
    row = found.iloc[0]
    return Value(float(row["value"]), float(row["ci_low"]), float(row["ci_high"]), str(row["chosen"]))
