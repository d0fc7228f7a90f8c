"""Where the time went, stage by stage and device by device, and how fast methods release."""

from __future__ import annotations

import pandas as pd

from maskbench.data.parties import SPLITS_OF
from maskbench.report.html.shown import ShownTable
from maskbench.results.reading import grouped
from maskbench.runfolder.folder import RunFolder

_STAGES = (
    "Times are those of the run that did the work. Stored: it was found in the store and not done again, so its time "
    "is of an earlier run, on the device that is named. Peak memory is that of the process so far, where the device "
    "gives no better."
)
_RELEASES = (
    "The owner's release of all its pictures, masks and what the method has to learn included; the median over seeds."
)


def timing_tables(run: RunFolder) -> list[ShownTable]:
    """The table of stages, and that of releases; empty ones where the run has no such time."""
    made = run.timings[run.timings["source"].isin(("computed", "stored"))]
    return [
        ShownTable.of("stages", _STAGES, pd.DataFrame(_stages(made))),
        ShownTable.of("releases", _RELEASES, pd.DataFrame(_releases(made, run.provenance["data"].get("sizes", {})))),
    ]


def _stages(made: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "stage": kind,
            "device": device,
            "made": "in this run" if source == "computed" else "stored",
            "times": str(len(part)),
            "seconds": f"{part['seconds'].sum():.1f}",
            "median seconds": f"{part['seconds'].median():.2f}",
            "peak memory MB": _megabytes(part["peak_memory"]),
        }
        for (kind, device, source), part in grouped(made, "stage", "device", "source")
    ]


def _releases(made: pd.DataFrame, sizes: dict[str, int]) -> list[dict[str, str]]:
    pictures = sum(sizes.get(split, 0) for split in SPLITS_OF["owner"])
    parts = made[made["stage"] == "release"]["title"].str.rsplit(" · ", n=2, expand=True)
    if not pictures or parts.shape[1] < 3:
        return []
    owners = made.loc[parts.index].assign(method=parts[0].str.removeprefix("release "), party=parts[1])
    owners = owners[owners["party"] == "owner"]
    return [
        {
            "method": method,
            "device": device,
            "made": "in this run" if source == "computed" else "stored",
            "images/s": f"{pictures / part['seconds'].median():.0f}",
            "seconds": f"{part['seconds'].median():.2f}",
            "peak memory MB": _megabytes(part["peak_memory"]),
        }
        for (method, device, source), part in grouped(owners, "method", "device", "source")
        if part["seconds"].median() > 0
    ]


def _megabytes(peaks: pd.Series) -> str:
    known = pd.to_numeric(peaks, errors="coerce").dropna()
    return f"{known.max() / 1e6:.0f}" if len(known) else "–"
