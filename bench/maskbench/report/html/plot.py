"""What the page's plot of accuracy against leakage shows: every method, under every choice that a reader can make."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from maskbench.metrics.catalogue import MAIN, metric_of
from maskbench.metrics.metric import Family
from maskbench.plugins.reserved import ORACLE, STACKED, STRONGEST
from maskbench.report.frontier import leakage_of
from maskbench.report.hidden import hidden_shares
from maskbench.report.named import NamedRun
from maskbench.report.short_names import ShortNames, short_names
from maskbench.report.style import Style
from maskbench.report.text import NOT_MEASURED
from maskbench.results.reading import ATTACKS, Value, headline, methods, pooled, read
from maskbench.results.schema import DERIVED

_JUDGED = {"strongest": STRONGEST, "oracle": ORACLE}
"""What a reader chooses → the name that it has in ``cells``."""

_MADE_OF_OTHERS = (*DERIVED, STACKED)


def plot_data(runs: Sequence[NamedRun], styles: Mapping[str, Style]) -> dict[str, Any]:
    """All that the plot is drawn from, as JSON values: ``runs``, ``axes`` and ``points``."""
    names = short_names(list(styles))
    return {
        "runs": [_about(run, names) for run in runs],
        "axes": {kind: axis_of(kind) for kind in ATTACKS},
        "points": [point for number, run in enumerate(runs) for point in _points(number, run, styles, names)],
    }


def _about(run: NamedRun, names: ShortNames) -> dict[str, Any]:
    inferred = run.results.inferred
    label = run.results.provenance["data"].get(inferred)
    return {
        "name": run.name,
        "title": run.title,
        "infers": f"{label} ({inferred})" if label else f"the {inferred} label",
        "label": label or f"the {inferred} label",
        "probe": inferred == "target",
        "leakage": leakage_of(run.results),
        "note": names.note,
    }


def axis_of(kind: Family) -> dict[str, Any]:
    """What stands along the axis of a kind of attack: ``title``, ``explains``, ``scale`` and ``digits``."""
    metric = metric_of(kind, MAIN[kind])
    share = metric.unit == "share"
    words = {
        "restoration": "hole SSIM of the restoration",
        "inference": "advantage of the inference",
        "matching": "raw picture found first",
        "linkage": "other release of the picture found first",
        "person-linkage": "another picture of the person found first",
    }
    return {
        "title": words.get(kind, f"{metric.name.replace('_', '-')} of the {kind}") + (", %" if share else ""),
        "explains": metric.description,
        "scale": 100 if share else 1,
        "digits": 1 if share else 3,
    }


def _points(number: int, run: NamedRun, styles: Mapping[str, Style], names: ShortNames) -> list[dict[str, Any]]:
    cells = run.results.cells
    hidden = hidden_shares(cells)
    found = []
    for method, ratio, mine in methods(cells):
        rows = pooled(mine)
        share = hidden(method, ratio)
        style = styles[method]
        found.append(
            {
                "run": number,
                "method": method,
                "name": names.of[method],
                "role": str(mine["role"].iloc[0]),
                "ratio": None if pd.isna(ratio) else ratio,
                "hidden": "" if share == NOT_MEASURED else share,
                "recognizer": str(mine["recognizer"].iloc[0]),
                "accuracy": numbers(read(rows[rows["attack_kind"] == "none"], "accuracy")),
                "leaks": {kind: _leak(mine, kind) for kind in ATTACKS},
                "why": {"accuracy": _why(mine, "none")} | {str(kind): _why(mine, kind) for kind in ATTACKS},
                "shape": _only_shape(mine),
                "colour": style.colour,
                "symbol": style.symbol,
            }
        )
    return found


def _leak(mine: pd.DataFrame, kind: Family) -> dict[str, Any]:
    """What the attacks of a kind get, as the strongest and as the oracle."""
    rows = headline(mine)
    rows = rows[rows["attack_kind"] == kind]
    found = {word: read(rows[rows["attack"] == name], MAIN[kind]) for word, name in _JUDGED.items()}
    return {word: None if value is None else [*(numbers(value) or ()), value.attack] for word, value in found.items()}


def _why(mine: pd.DataFrame, kind: str) -> str:
    """Why a method has no number of a kind: it failed, it could not run, or nothing of the suite applies."""
    rows = mine[mine["attack_kind"] == kind]
    missing = rows[rows["status"] != "ok"]
    if len(missing):
        return f"{missing['status'].iloc[0]}: {missing['reason'].iloc[0]}"
    return "" if len(rows) else f"not attacked: no {kind} attack of this run applies to it"


def _only_shape(mine: pd.DataFrame) -> bool:
    """Whether no attack that ran inferred anything from the pixels: those that did saw the masks alone."""
    rows = mine[(mine["attack_kind"] == "inference") & (mine["status"] == "ok") & ~mine["attack"].isin(_MADE_OF_OTHERS)]
    return len(rows) > 0 and bool((rows["learns_from"] == "masks").all())


def numbers(value: Value | None) -> list[float | None] | None:
    """A value and its interval as JSON holds them: None where there is none."""
    if value is None:
        return None
    return [None if math.isnan(each) else float(f"{each:.5g}") for each in (value.value, value.low, value.high)]
