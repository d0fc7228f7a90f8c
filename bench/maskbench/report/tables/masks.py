"""How well masks that were withheld are found."""

from __future__ import annotations

import pandas as pd

from maskbench.plugins.reserved import FIND_MASKS
from maskbench.report.captions import run_caption
from maskbench.report.hidden import by_method
from maskbench.report.parts import Table
from maskbench.report.text import percent
from maskbench.results.reading import grouped, pooled, read
from maskbench.runfolder.folder import RunFolder

_CAPTION = (
    "Masks that were not released, found from the released images by a network that learned on the attacker's own. "
    "Every attack on these methods works with the masks that were found."
)


def _build(run: RunFolder) -> pd.DataFrame:
    rows = pooled(run.cells)
    rows = rows[rows["attack"] == FIND_MASKS]
    return pd.DataFrame(
        [
            {
                **named,
                "split": split.replace("_", "-"),
                "pixels rightly told %": percent(read(part, "mask_accuracy")),
                "kept pixels, intersection over union %": percent(read(part, "mask_iou")),
            }
            for named, mine in by_method(run.cells, rows)
            for (split,), part in grouped(mine, "split")
        ]
    )


TABLE = Table("masks", _build, lambda run: run_caption(run) + _CAPTION)
