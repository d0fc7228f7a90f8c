"""The numbers of a leakage report: the risks of each method, its groups, and what a claim of privacy is worth."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from maskbench.metrics.catalogue import MAIN
from maskbench.metrics.intervals import Interval
from maskbench.plugins.reserved import STRONGEST
from maskbench.report.exposure import (
    OF_ONE_PICTURE,
    WORST_OFF,
    groups,
    measured_epsilon,
    outcomes,
    per_image,
    worst_off,
)
from maskbench.results.reading import ATTACKS, Value, grouped, headline, methods, read
from maskbench.runfolder.folder import RunFolder

Number = dict[str, float | None]
"""``value``, ``low`` and ``high``; None where it is not defined."""

_SUCCESS = {kind: MAIN[kind] for kind in ATTACKS}
"""Kind of attack → the metric by which a report says how well it succeeds."""


def exposures(run: RunFolder) -> list[dict[str, Any]]:
    """How well the strongest attack of each kind does, in the mean and on those who are worst off.

    Returns:
        A record for each method, kind of attack and label: ``method``, ``ratio``, ``role``, ``kind``, ``label``,
        ``attack``, ``metric``, ``success``, ``guess`` (of a matching attack: how often a guess is right), ``images``,
        ``worst_metric`` and ``worst_off`` (share → number, of the metric of one picture). The controls have records of
        their own, with the roles ``raw`` and ``null``.
    """
    records = []
    for method, ratio, mine in methods(run.cells):
        best = headline(mine)
        best = best[best["attack"] == STRONGEST]
        for (kind, label), rows in grouped(best, "attack_kind", "label"):
            success = read(rows, _SUCCESS[kind])
            if success is None:
                continue
            values = per_image(outcomes(run, mine, kind, label), OF_ONE_PICTURE[kind])
            records.append(
                {
                    "method": method,
                    "ratio": None if math.isnan(ratio) else ratio,
                    "role": str(mine["role"].iloc[0]),
                    "kind": kind,
                    "label": label,
                    "attack": success.attack,
                    "metric": _SUCCESS[kind],
                    "success": _number(success),
                    "guess": _guess(rows),
                    "images": int(rows["n"].max()),
                    "worst_metric": OF_ONE_PICTURE[kind],
                    "worst_off": {f"{share:g}": _of(worst_off(values, share)) for share in WORST_OFF},
                }
            )
    return records


def _guess(rows: pd.DataFrame) -> float | None:
    """How often a guess finds what a matching attack looks for: one in as many as there are candidates."""
    found = rows.loc[rows["metric"].str.endswith("naive_rank_1"), "value"]
    return float(found.iloc[0]) if len(found) else None


def group_rows(run: RunFolder) -> list[dict[str, Any]]:
    """What the strongest inference gets of each class of the sensitive label: a record for each method and class."""
    if run.inferred != "sensitive":
        return []
    classes = [str(name) for name in run.provenance["data"]["sensitive_classes"]]
    found = []
    for method, ratio, mine in methods(run.cells):
        for group in groups(outcomes(run, mine, "inference", "sensitive"), classes):
            found.append(
                {
                    "method": method,
                    "ratio": None if math.isnan(ratio) else ratio,
                    "role": str(mine["role"].iloc[0]),
                    "class": group.name,
                    "images": group.images,
                    "recognized": _of(group.correct),
                    "bits": _of(group.information),
                }
            )
    return found


def claims(run: RunFolder) -> list[dict[str, Any]]:
    """Each claim of differential privacy in a run, and the ε that an inference attack proves to be needed at least."""
    found = []
    by_label = {label: mine for label, _, mine in methods(run.cells)}
    for claim in run.provenance.get("claims", []):
        mine = by_label.get(claim["method"], pd.DataFrame())
        bound = None if mine.empty else measured_epsilon(outcomes(run, mine, "inference", run.inferred))
        found.append({**claim, "measured": bound})
    return found


def _number(value: Value) -> Number:
    return _finite(value.value, value.low, value.high)


def _of(found: Interval) -> Number:
    return _finite(found.value, found.low, found.high)


def _finite(*numbers: float) -> Number:
    names = ("value", "low", "high")
    return {name: number if math.isfinite(number) else None for name, number in zip(names, numbers, strict=True)}
