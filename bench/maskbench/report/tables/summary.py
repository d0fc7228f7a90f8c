"""The headline: one row a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from maskbench.report.attacked import NO_LEAKAGE
from maskbench.report.captions import run_caption
from maskbench.report.equal_leakage import AtReference, at_equal_leakage
from maskbench.report.hidden import hidden_shares
from maskbench.report.parts import Table
from maskbench.report.summary import summarize, value_of
from maskbench.report.text import NOT_MEASURED, decimal, percent, plain
from maskbench.results.reading import Value, records
from maskbench.runfolder.folder import RunFolder

AT_EQUAL_LEAKAGE = ("accuracy % at equal leakage", "shape alone % there")
"""Columns of methods that were run at three strengths or more; ``tables/equal-leakage`` says more of them."""

_SINGLED_OUT, _LINKED = "strongest singling out %", "strongest linking %"
_PERSONS = "strongest linking of persons %"
_WORST_CLASS = "worst class AUC"


def headline(run: RunFolder) -> pd.DataFrame:
    """The summary in words."""
    hidden = hidden_shares(run.cells)
    equal = _at_equal_leakage(run)
    table = pd.DataFrame(
        [
            {
                "method": row["method"],
                "hidden": hidden(row["method"], row["ratio"]),
                "accuracy %": percent(value_of(row, "accuracy")),
                "utility %": percent(value_of(row, "utility")),
                "shape alone %": percent(value_of(row, "shape")),
                "strongest hole SSIM": _leakage(row, "restoration", decimal),
                "its PSNR dB": decimal(plain(value_of(row, "psnr")), 1),
                f"strongest advantage on {run.inferred} %": _leakage(row, "inference", percent),
                "over null %": percent(plain(value_of(row, "over_null"))),
                _WORST_CLASS: decimal(plain(value_of(row, "worst_class"))),
                _SINGLED_OUT: percent(value_of(row, "matching")),
                _LINKED: percent(value_of(row, "linkage")),
                _PERSONS: percent(value_of(row, "person-linkage")),
                AT_EQUAL_LEAKAGE[0]: percent(equal[place].accuracy) if place in equal else NOT_MEASURED,
                AT_EQUAL_LEAKAGE[1]: percent(equal[place].shape) if place in equal else NOT_MEASURED,
                "cells": f"{row['ok']}/{row['total']}",
                "flags": row["flags"],
            }
            for place, row in enumerate(records(summarize(run)))
        ]
    )
    # Only runs with a matching attack, with enough images of a class, or with three strengths of a method have these.
    rare = (_WORST_CLASS, _SINGLED_OUT, _LINKED, _PERSONS, *AT_EQUAL_LEAKAGE)
    return table.drop(columns=[name for name in rare if (table[name] == NOT_MEASURED).all()])


def _at_equal_leakage(run: RunFolder) -> dict[int, AtReference]:
    """Place of a method among those of the run → what its curve has where the reference leaks as much."""
    found = at_equal_leakage(run)
    return {} if found is None else {place: each for each in found.methods for place in each.rows}


def _leakage(row: Mapping[str, Any], kind: str, write: Callable[[Value | None], str]) -> str:
    """The value, or in words why there is none: a method that nothing attacked is not one that leaks nothing."""
    status = row[f"{kind}_status"]
    return write(value_of(row, kind)) if status == "attacked" else NO_LEAKAGE[status]


def caption(run: RunFolder) -> str:
    """What the headline says, on what."""
    titles = dict.fromkeys(f"{flag.mark} {flag.title}" for flag in run.flags if flag.method)
    return (
        run_caption(run) + "Accuracy is on owner-test, leakage on owner-train "
        "(inference of the target on owner-test). The strongest attack is realizable: the attack, in brackets, was "
        "chosen on pictures that it is not scored on. Higher leakage is worse. "
        "Over null: the strongest advantage minus that of the same attacks on fully masked images. "
        "Worst class: how often the strongest attack ranks a member of a class above another image, for the class that "
        "it tells best; 0.5 by chance. "
        "Shape alone: accuracy of a classifier that sees nothing but the masks. "
        "Singled out, linked: how often the strongest attack finds the own raw picture of a release among all of its "
        "split, or another release of that picture; a guess finds one in as many. "
        "Linking of persons: how often it finds the release of another picture of the same person. "
        "At equal leakage: where the method's curve over its strengths leaks as much as the reference that "
        "tables/equal-leakage names."
    ) + (f" Flags: {'; '.join(titles)}." if titles else "")


TABLE = Table("summary", headline, caption)
