"""Seeds that differ more than images do: resampling a few of them makes an interval too narrow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from maskbench.metrics.catalogue import MAIN
from maskbench.plugins.reserved import RECOGNITION, STRONGEST
from maskbench.results.flags.kind import Finding, FlagKind, Judged, decimal, percent
from maskbench.results.reading import ATTACKS, HEADLINE_SPLIT, Value, read

_TAIL = 0.025
_NORMAL = 1.959964  # standard errors on either side of a 95 % interval


def _find(judged: Judged) -> Iterator[Finding]:
    cells = judged.cells
    every = cells[(cells["status"] == "ok") & (cells["aux_share"] == 1)]
    recognized = every[(every["attack"] == RECOGNITION) & (every["split"] == "owner_test")]
    found = [("", "target", "accuracy", recognized)]
    strongest = every[(every["attack"] == STRONGEST) & (every["split"] == every["label"].map(HEADLINE_SPLIT))]
    for kind in ATTACKS:
        mine = strongest[strongest["attack_kind"] == kind]
        if len(mine):
            found.append((STRONGEST, mine["label"].iloc[0], MAIN[kind], mine))
    for attack, label, metric, rows in found:
        shown, wider = _intervals(rows[rows["metric"] == metric], metric)
        if shown and wider:
            write = decimal if metric == MAIN["restoration"] else percent
            seeds = int(rows["seed"].nunique())
            yield attack, label, f"{metric} {write(shown)}; with Student's t over {seeds} seeds {write(wider)}"


def _intervals(rows: pd.DataFrame, metric: str) -> tuple[Value | None, Value | None]:
    """The interval as reported, and by the variance between seeds; None where images differ more, or for one seed."""
    reported = read(rows[rows["seed"].isna()], metric)
    single = rows[rows["seed"].notna()]
    values, low, high = (single[name].to_numpy(np.float64) for name in ("value", "ci_low", "ci_high"))
    wider = None if reported is None else widened(reported, values, high - low)
    return (None, None) if wider is None else (reported, wider)


def widened(reported: Value, values: NDArray[np.float64], widths: NDArray[np.float64]) -> Value | None:
    """The 95 % interval of a mean over seeds by Student's t; None where images differ more than seeds, or for one seed.

    Args:
        values: of each seed.
        widths: of its interval, which resamples images alone.
    """
    if len(values) < 2 or np.isnan(values).any():
        return None
    between = float(values.var(ddof=1))
    images = float((widths / (2 * _NORMAL)).mean() ** 2)
    if not between > images:
        return None
    training, degrees = between / len(values), len(values) - 1
    total = training + images
    # Satterthwaite 1946: the images are so many that their variance counts as known.
    half = float(student.isf(_TAIL, degrees * (total / training) ** 2) * total**0.5)
    return Value(reported.value, reported.value - half, min(reported.value + half, 1.0))


FLAGS = (
    FlagKind(
        "seeds-differ",
        "V",
        "note",
        "training differs more from seed to seed than images do, so the interval is too narrow",
        "Read the wider interval, which counts seeds as Student's t does, and run more seeds (--seeds).",
        _find,
        roles=("method", "raw", "null"),
    ),
)
