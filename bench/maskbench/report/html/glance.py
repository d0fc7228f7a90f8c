"""The answer as a table: the methods on the frontier, what each costs, and what the strongest attack gets of it."""

from __future__ import annotations

import pandas as pd

from maskbench.plugins.reserved import STACKED
from maskbench.report.frontier import Placed, leakage_of, placed
from maskbench.report.hidden import method_names
from maskbench.report.html.shown import ShownTable
from maskbench.report.paired import Resampled, paired_methods
from maskbench.report.summary import value_of
from maskbench.report.text import NOT_MEASURED, decimal, percent, plain
from maskbench.results.reading import Value, records
from maskbench.runfolder.folder import RunFolder

_MOST = 6  # methods: more are not read at a glance

_CAPTION = (
    "The methods on the frontier, between raw and fully masked images. Value [95 % interval]. Costs, saves: points of "
    "accuracy and of leakage below raw images, on the same pictures; an interval with 0 in it is no difference."
)
_SHAPE = " Masks' shape alone: accuracy of a classifier that sees no pixel."
_STACKED = " “Stacked” is all attacks of its kind with their answers taken together."
_TRACED = " Traced: the raw picture is found first among all of its split, whatever label is hidden."


def glance(run: RunFolder) -> ShownTable:
    """At most six methods between the controls; empty where no accuracy and leakage are known of one method."""
    methods, kind = paired_methods(run), leakage_of(run)
    everything, rows, named = placed(methods, kind), records(methods.rows), method_names(run.cells)
    raw = next((each for each in everything if each.role == "raw"), None)
    own = sorted((each for each in everything if each.role == "method"), key=lambda each: -each.accuracy)
    chosen = [each for each in own if each.on_frontier] or own
    if not own:
        return ShownTable.of("glance", "", pd.DataFrame())
    leaks = f"leaks: {'advantage on ' + run.cells['sensitive'].iloc[0] + ' %' if kind == 'inference' else 'hole SSIM'}"
    written = percent if kind == "inference" else decimal
    accuracy, leakage = methods.accuracy, methods.leakage(kind)

    def below_raw(each: Placed, quantity: Resampled) -> Value | None:
        return None if raw is None or each.role == "raw" else quantity.difference(raw.row, each.row)

    def line(each: Placed) -> dict[str, str]:
        row = rows[each.row]
        name = named(each.method, each.ratio)
        return {
            "method": f"{name} (control)" if each.role != "method" else name,
            "keeps: accuracy %": percent(value_of(row, "accuracy")),
            leaks: written(plain(value_of(row, kind))),
            "strongest attack": row[f"{kind}_attack"] or NOT_MEASURED,
            "costs, points": percent(below_raw(each, accuracy)),
            "saves, points" if kind == "inference" else "saves": written(below_raw(each, leakage)),
            "masks' shape alone %": percent(plain(value_of(row, "shape"))),
            "traced %": percent(plain(value_of(row, "matching"))),
        }

    controls = {each.role: each for each in everything if each.role != "method"}
    ends = [[controls[role]] if role in controls else [] for role in ("raw", "null")]
    frame = pd.DataFrame([line(each) for each in (*ends[0], *chosen[:_MOST], *ends[1])])
    caption = _CAPTION
    if (frame["masks' shape alone %"] != NOT_MEASURED).any():
        caption += _SHAPE
    if frame["strongest attack"].str.contains(STACKED).any():
        caption += _STACKED
    if (frame["traced %"] != NOT_MEASURED).any():
        caption += _TRACED
    if len(chosen) > _MOST:
        caption += f" {len(chosen) - _MOST} more stand in the table of all methods."
    return ShownTable.of("glance", caption, frame)
