"""How much each method hides, as tables and figures say it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from maskbench.report.text import NOT_MEASURED
from maskbench.results.reading import methods, pooled, read


def hidden_shares(cells: pd.DataFrame) -> Callable[[str, float], str]:
    """What to call the share that a method hides: (``name:parameters``, ratio) → ``75%``.

    It is the measured share, in the mean over the released test images. The ratio that was asked for stands in where
    nothing was measured: recognition failed, or the run is older than that metric.
    """
    measured = {}
    for method, ratio, mine in methods(pooled(cells)):
        found = read(mine[mine["attack_kind"] == "none"], "hidden")
        if found is not None:
            measured[_key(method, ratio)] = found.value

    def written(method: str, ratio: float) -> str:
        share = measured.get(_key(method, ratio), ratio)
        return NOT_MEASURED if pd.isna(share) else f"{share:.0%}"

    return written


def method_names(cells: pd.DataFrame) -> Callable[[str, float], str]:
    """What to call a method in a sentence: (``name:parameters``, ratio) → ``random 75%``."""
    hidden = hidden_shares(cells)

    def named(method: str, ratio: float) -> str:
        share = hidden(method, ratio)
        return method if share == NOT_MEASURED else f"{method} {share}"

    return named


def _key(method: str, ratio: float) -> tuple[str, float | None]:
    return method, None if pd.isna(ratio) else ratio  # NaN equals nothing
