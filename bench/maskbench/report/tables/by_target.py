"""Who is hit: what the strongest attack infers of the sensitive label, target class by target class."""

from __future__ import annotations

import pandas as pd

from maskbench.report.captions import run_caption
from maskbench.report.hidden import by_method
from maskbench.report.parts import Table
from maskbench.report.text import percent
from maskbench.results.by_target import by_target
from maskbench.results.reading import Value
from maskbench.runfolder.folder import RunFolder

_CAPTION = (
    "Who is hit: the strongest inference of the sensitive label on owner-train, target class by target class. The "
    "prior is that of the class. The attack was chosen for all classes together."
)


def _build(run: RunFolder) -> pd.DataFrame:
    frame = by_target(run.cells, run.samples)
    if frame.empty:
        return frame
    return pd.DataFrame(
        [
            {
                **named,
                run.cells["target"].iloc[0]: row["target_class"],
                "attack": row["attack"],
                "n": row["n"],
                "prior %": f"{100 * row['prior']:.1f}",
                "accuracy %": f"{100 * row['accuracy']:.1f}",
                "advantage %": percent(Value(row["advantage"], row["ci_low"], row["ci_high"])),
            }
            for named, mine in by_method(run.cells, frame)
            for _, row in mine.iterrows()
        ]
    )


TABLE = Table("by-target", _build, lambda run: run_caption(run) + _CAPTION)
