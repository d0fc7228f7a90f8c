"""The numbers of a bundle beside those that its samples give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maskbench.plugins.reserved import STRONGEST
from maskbench.results.flags.find import find_flags
from maskbench.results.measure import measure, planned_of
from maskbench.results.schema import CELL, COLUMNS, VALIDATION
from maskbench.runfolder.folder import RunFolder

KEY = (*CELL, "seed", "split", "metric")
"""The columns of ``cells`` that tell its rows apart."""

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Sums differ in their last digits from machine to machine, and by no more than that."""

_NAMED = 3  # rows of a kind that a message names


@dataclass(frozen=True)
class Recomputed:
    """What came of computing ``cells`` and the flags again.

    Attributes:
        problems: what is not as the samples have it, one sentence each.
        rows: rows of ``cells`` that were computed again.
    """

    problems: tuple[str, ...]
    rows: int


def recompute(run: RunFolder) -> Recomputed:
    """Compute every number of ``cells``, the choice of the strongest attacks and the flags again."""
    reason = _incomputable(run)
    if reason:
        return Recomputed((reason,), 0)
    try:
        again = measure(planned_of(run.cells), run.samples, run.classes)
        flags = find_flags(again)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        # Somebody else's samples may be anything.
        reason = f"{type(error).__name__}: {error}"
        return Recomputed((f"samples.parquet does not give cells.parquet: {reason}",), 0)
    problems = list(_different(run.cells, again))
    if [flag.record() for flag in run.flags] != [flag.record() for flag in flags]:
        problems.append(
            f"flags.json has {len(run.flags)} flags that are not the {len(flags)} that the samples give: "
            f"{_differing_flags(run, {flag.mark for flag in flags})}."
        )
    return Recomputed(tuple(problems), len(again))


def _incomputable(run: RunFolder) -> str:
    """Why numbers cannot be computed from the samples; nothing where they can."""
    if not len(run.samples) and (run.cells["status"] == "ok").any():
        return "samples.parquet is empty: no number can be computed again."
    chosen = run.cells[(run.cells["attack"] == STRONGEST) & (run.cells["status"] == "ok")]
    if len(chosen) and not (run.samples["split"] == VALIDATION).any():
        return (
            "samples.parquet lacks the scores by which the strongest attacks were chosen: this is the baseline of a "
            "comparison, which holds less, or an older maskbench wrote it. Its numbers cannot be computed again."
        )
    return ""


def _different(there: pd.DataFrame, again: pd.DataFrame) -> Iterator[str]:
    there, again = _keyed(there), _keyed(again)
    if there.index.has_duplicates:
        yield f"cells.parquet has rows twice: {_rows(there.index[there.index.duplicated()])}."
        return
    for what, names in (
        ("has no row for", again.index.difference(there.index, sort=False)),
        ("has rows that no sample stands for:", there.index.difference(again.index, sort=False)),
    ):
        if len(names):
            yield f"cells.parquet {what} {_rows(names)}."
    both = there.index.intersection(again.index, sort=False)
    there, again = there.loc[both], again.loc[both]
    for name in COLUMNS:
        if name in KEY:
            continue
        other = ~_equal(there[name], again[name])
        if other.any():
            first = int(np.flatnonzero(other)[0])
            yield (
                f"{_WORDS.get(name, name)} of {_rows(both[other])}: cells.parquet has {there[name].iloc[first]!r} "
                f"for the first, and the samples give {again[name].iloc[first]!r}."
            )


_WORDS = {"chosen": "The strongest attack", "value": "The value", "ci_low": "The interval", "ci_high": "The interval"}


def _keyed(cells: pd.DataFrame) -> pd.DataFrame:
    """Rows by what tells them apart; what is missing is a text, which equals itself."""
    keys = {name: cells[name].astype("object").where(cells[name].notna(), "") for name in KEY}
    return cells.set_index(pd.MultiIndex.from_frame(pd.DataFrame(keys)))


def _equal(left: pd.Series[Any], right: pd.Series[Any]) -> np.ndarray:
    if COLUMNS[str(left.name)] != "string":
        one, other = (column.to_numpy(np.float64, na_value=np.nan) for column in (left, right))
        return np.isclose(one, other, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)
    text, same = (column.astype("string").fillna("").to_numpy(object) for column in (left, right))
    return np.equal(text, same).astype(bool)


def _rows(names: pd.Index[Any]) -> str:
    shown = [_row(dict(zip(KEY, name, strict=True))) for name in names[:_NAMED]]
    more = len(names) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _row(of: dict[str, Any]) -> str:
    """``accuracy of random 0.75 × adaptive (sensitive, owner_train, seed 0)``."""
    method = " ".join(str(of[name]) for name in ("method", "params", "ratio") if of[name] != "")
    seed = "all seeds" if of["seed"] == "" else f"seed {of['seed']}"
    inside = ", ".join(filter(None, (of["label"], of["split"], seed)))
    return f"{of['metric'] or 'status'} of {method} × {of['attack']} ({inside})"


def _differing_flags(run: RunFolder, marks: set[str]) -> str:
    there = {flag.mark for flag in run.flags}
    named = [f"{mark} is missing" for mark in sorted(marks - there)]
    named += [f"{mark} should not be there" for mark in sorted(there - marks)]
    return ", ".join(named) or "their text or order differs"
