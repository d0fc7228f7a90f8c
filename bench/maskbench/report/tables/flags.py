"""The flags on a run, one row each."""

from __future__ import annotations

import pandas as pd

from maskbench.report.hidden import hidden_shares
from maskbench.report.parts import Table
from maskbench.runfolder.folder import RunFolder

_CAPTION = (
    "What should not be trusted as it is (warning), and how a result is to be read (note), with what to do. "
    "A comparison of two attacks counts where the lower value lies outside the other's 95 % interval."
)


def _build(run: RunFolder) -> pd.DataFrame:
    hidden = hidden_shares(run.cells)
    return pd.DataFrame(
        [
            {
                "flag": flag.mark,
                "level": flag.level,
                "method": flag.method or "all",
                "hidden": hidden(flag.method, flag.ratio),
                "attack": flag.attack,
                "infers": flag.label,
                "what": flag.title,
                "seen": flag.finding,
                "what to do": flag.action,
            }
            for flag in run.flags
        ]
    )


TABLE = Table("flags", _build, lambda run: _CAPTION)
