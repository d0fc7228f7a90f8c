"""What the realizable strongest attack infers of the sensitive label, target class by target class."""

from __future__ import annotations

from typing import Any

import pandas as pd

from maskbench.metrics.intervals import interval
from maskbench.metrics.leakage import advantage
from maskbench.plugins.reserved import STRONGEST

_SPLIT = "owner_train"  # where leakage of the sensitive label counts
_METHOD = ["method", "params", "ratio"]


def by_target(cells: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """One row for each method and target class; no rows where the data have no sensitive label.

    The attack is the one chosen for the whole method, not for the class: what is shown is who is hit by it. Columns:
    method, params, ratio, target_class, attack, n, seeds, prior, accuracy, advantage, ci_low, ci_high. The advantage
    is NaN where the prior is always right for a class.
    """
    rows: list[dict[str, Any]] = []
    if samples.empty:
        return pd.DataFrame(rows)
    chosen = cells[
        (cells["attack"] == STRONGEST)
        & (cells["label"] == "sensitive")
        & (cells["metric"] == "advantage")
        & (cells["split"] == _SPLIT)
        & cells["seed"].notna()
    ]
    theirs = samples[(samples["label"] == "sensitive") & (samples["split"] == _SPLIT) & (samples["aux_share"] == 1)]
    attacks = chosen[[*_METHOD, "seed", "chosen"]].rename(columns={"chosen": "attack"})
    for method, mine in theirs.merge(attacks).groupby(_METHOD, sort=False, dropna=False):
        for name, part in mine.groupby("target_class"):
            outcomes = part.set_index(["seed", "number"])[["correct", "prior_correct"]].sort_index()
            columns = outcomes.to_numpy(dtype=float).reshape(part["seed"].nunique(), -1, 2)
            found = interval(columns, lambda means: advantage(means[..., 0], means[..., 1]))
            rows.append(
                {
                    **dict(zip(_METHOD, method, strict=True)),
                    "target_class": name,
                    "attack": ", ".join(mine["attack"].unique()),
                    "n": found.n,
                    "seeds": found.seeds,
                    "prior": outcomes["prior_correct"].mean(),
                    "accuracy": outcomes["correct"].mean(),
                    "advantage": found.value,
                    "ci_low": found.low,
                    "ci_high": found.high,
                }
            )
    return pd.DataFrame(rows)
