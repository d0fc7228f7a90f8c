"""What weights that a method hands out tell of the raw pictures that they come from."""

from __future__ import annotations

import pandas as pd

from maskbench.plugins.reserved import MEMBERSHIP
from maskbench.report.captions import run_caption
from maskbench.report.hidden import by_method
from maskbench.report.parts import Table
from maskbench.report.text import percent
from maskbench.results.reading import pooled, read
from maskbench.runfolder.folder import RunFolder

_CAPTION = (
    "Methods whose adjustment hands out the weights of the owner's recognizer of raw pictures. Told apart: share of "
    "pairs in which a picture that it learned from is told from one that it did not, 50 % by chance. Control: the same "
    "for a recognizer that learned from neither. Found: share of the pictures it learned from that are found where 1 % "
    "of the others pass for such. The attack compares with the attacker's own recognizers (LiRA, arXiv 2112.03570)."
)


def _build(run: RunFolder) -> pd.DataFrame:
    rows = pooled(run.cells)
    rows = rows[rows["attack"] == MEMBERSHIP]
    return pd.DataFrame(
        [
            {
                **named,
                "told apart %": percent(read(mine, "membership_auc")),
                "control %": percent(read(mine, "membership_control_auc")),
                "found at 1 % false alarms %": percent(read(mine, "membership_tpr")),
            }
            for named, mine in by_method(run.cells, rows)
        ]
    )


TABLE = Table("membership", _build, lambda run: run_caption(run) + _CAPTION)
"""What weights that a method hands out tell of the raw pictures that they come from."""
