"""Methods where they leak as much as a reference, and where they keep as much."""

from __future__ import annotations

import pandas as pd

from maskbench.report.captions import run_caption
from maskbench.report.equal_leakage import at_equal_leakage
from maskbench.report.parts import Table
from maskbench.report.text import decimal, percent
from maskbench.runfolder.folder import RunFolder


def _build(run: RunFolder) -> pd.DataFrame:
    found = at_equal_leakage(run)
    if found is None:
        return pd.DataFrame()
    written = percent if found.kind == "inference" else decimal
    leakage = f"advantage on {run.inferred} %" if found.kind == "inference" else "hole SSIM"
    return pd.DataFrame(
        [
            {
                "method": each.method,
                "accuracy % at its leakage": percent(each.accuracy) if each.accuracy else each.outside,
                "more than it, points": percent(each.gain),
                "shape alone % there": percent(each.shape),
                f"{leakage} at its accuracy": written(each.leakage) if each.leakage else each.outside_accuracy,
                "more than it": written(each.more),
            }
            for each in found.methods
        ]
    )


def _caption(run: RunFolder) -> str:
    found = at_equal_leakage(run)
    if found is None:
        return run_caption(run)
    leaks = f"advantage {found.leakage:.1%}" if found.kind == "inference" else f"hole SSIM {found.leakage:.3f}"
    return (
        run_caption(run) + f"Methods that were run at three strengths or more, where they leak as much as "
        f"{found.reference} ({leaks}, accuracy {found.accuracy:.1%}), and where they keep as much. Read off each "
        "method's own curve, which is made monotone; nothing is extrapolated. Intervals are paired: the same images "
        "and seeds are resampled for all methods."
    )


TABLE = Table("equal-leakage", _build, _caption)
