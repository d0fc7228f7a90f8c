"""Where the time went: measured when the work was done, and marked where it was done in an earlier run."""

from __future__ import annotations

import pandas as pd

from maskbench.report.parts import Table
from maskbench.runfolder.folder import RunFolder


def timing(run: RunFolder) -> pd.DataFrame:
    """Seconds by kind of stage, those of this run apart from those of earlier ones, and the time outside stages."""
    rows = []
    for kind, part in run.timings.groupby("stage", sort=False):
        computed, stored = (part[part["source"] == source] for source in ("computed", "stored"))
        rows.append(
            {
                "stage": kind,
                "computed now": len(computed),
                "seconds now": f"{computed['seconds'].sum():.1f}",
                "from the store": len(stored),
                "seconds when made": f"{stored['seconds'].sum():.1f}" if len(stored) else "",
                "failed": int((part["source"] == "failed").sum()),
            }
        )
    total, outside = run.provenance["seconds"]["total"], run.provenance["seconds"]["outside"]
    rows.append(
        {
            "stage": f"outside stages ({outside / total:.0%} of {total:.1f} s)",
            "computed now": "",
            "seconds now": f"{outside:.1f}",
            "from the store": "",
            "seconds when made": "",
            "failed": "",
        }
    )
    return pd.DataFrame(rows)


TABLE = Table("timing", timing, lambda run: "Times by stage.")
