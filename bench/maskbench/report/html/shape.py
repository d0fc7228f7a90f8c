"""The side channel: what the shape of the masks tells, beside recognition and beside the strongest attack."""

from __future__ import annotations

import pandas as pd

from maskbench.plugins.reserved import STRONGEST
from maskbench.report.hidden import by_method
from maskbench.report.html.shown import ShownTable
from maskbench.report.text import percent, plain
from maskbench.results.reading import headline, pooled, read
from maskbench.runfolder.folder import RunFolder


def shapes(run: RunFolder) -> ShownTable:
    """What a classifier gets that sees nothing but the masks, beside recognition and beside the strongest attack."""
    built = []
    for named, mine in by_method(run.cells, run.cells):
        rows = pooled(mine)
        alone = rows[rows["learns_from"] == "masks"]
        target = read(alone[(alone["label"] == "target") & (alone["split"] == "owner_test")], "accuracy")
        sensitive = read(alone[(alone["label"] == "sensitive") & (alone["split"] == "owner_train")], "advantage")
        if target is None and sensitive is None:
            continue
        strongest = headline(mine)
        strongest = strongest[(strongest["attack"] == STRONGEST) & (strongest["label"] == "sensitive")]
        row = {
            **named,
            "target label from shape: accuracy %": percent(plain(target)),
            "recognizer of the release: accuracy %": percent(read(rows[rows["attack_kind"] == "none"], "accuracy")),
        }
        if run.inferred == "sensitive":
            row["sensitive label from shape: advantage %"] = percent(plain(sensitive))
            row["strongest attack: advantage %"] = percent(plain(read(strongest, "advantage")))
        built.append(row)
    return ShownTable.of(
        "shape",
        "A mask is made from the picture, so its outline can carry the answer. A classifier that sees the masks and no "
        "pixel tells how much of what a method keeps, and of what it leaks, is outline alone.",
        pd.DataFrame(built),
    )
