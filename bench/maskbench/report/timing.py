"""Where the time went: measured when the work was done, and marked where it was done in an earlier run."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from maskbench.running import Run


def timings(run: Run) -> pd.DataFrame:
    """One row a stage: what it is, whether it was computed in this run, how long it took when it was, and on what."""
    rows = []
    for outcome in run.outcomes.values():
        timing = outcome.timing
        finished = timing.get("finished")
        rows.append(
            {
                "stage": outcome.step.stage.kind,
                "title": outcome.step.stage.title(),
                "source": outcome.source,
                "seconds": timing.get("seconds"),
                "device": timing.get("device", ""),
                "peak_memory": timing.get("peak_memory"),
                "peak_memory_of": timing.get("peak_memory_of", ""),
                "finished": datetime.fromtimestamp(finished, UTC).isoformat(timespec="seconds") if finished else "",
                "libraries": " ".join(
                    f"{name}={version}" for name, version in outcome.step.ingredients["libraries"].items()
                ),
                "key": outcome.step.key,
            }
        )
    return pd.DataFrame(rows)


def timing_table(run: Run) -> pd.DataFrame:
    """Seconds by kind of stage, those of this run apart from those of earlier ones, and the time outside stages."""
    frame = timings(run)
    rows = []
    for kind, part in frame.groupby("stage", sort=False):
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
    total, outside = run.seconds["total"], run.seconds["outside"]
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
