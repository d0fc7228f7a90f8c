"""The flags of a run, as a table, as a legend of their marks, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from maskbench.report.cell_text import hidden
from maskbench.results.flag import KINDS, Flag

FLAGS_CAPTION = (
    "What should not be trusted as it is (warning), and how a result is to be read (note), with what to do. "
    "A comparison of two attacks counts where the lower value lies outside the other's 95 % interval."
)


def flag_table(flags: Sequence[Flag]) -> pd.DataFrame:
    """One row a flag."""
    return pd.DataFrame(
        [
            {
                "flag": flag.kind.mark,
                "level": flag.kind.level,
                "method": flag.method or "all",
                "hidden": hidden(flag.ratio),
                "attack": flag.attack,
                "infers": flag.label,
                "what": flag.kind.title,
                "seen": flag.finding,
                "what to do": flag.kind.action,
            }
            for flag in flags
        ]
    )


def legend(flags: Sequence[Flag]) -> str:
    """``F a cell failed; …``: the marks that occur, as in the headline table."""
    used = {flag.kind for flag in flags if flag.method}
    return "; ".join(f"{kind.mark} {kind.title}" for kind in KINDS if kind in used)


def flag_records(flags: Sequence[Flag]) -> list[dict[str, Any]]:
    """The flags for ``run.json``."""
    return [
        {
            "flag": flag.kind.name,
            "level": flag.kind.level,
            "method": flag.method,
            "ratio": None if pd.isna(flag.ratio) else flag.ratio,
            "attack": flag.attack,
            "label": flag.label,
            "finding": flag.finding,
            "action": flag.kind.action,
        }
        for flag in flags
    ]
