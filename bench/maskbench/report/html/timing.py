"""Where the time went, stage by stage and device by device, and how fast methods release."""

from __future__ import annotations

import pandas as pd

from maskbench.report.html.shown import ShownTable
from maskbench.report.html.throughput import WHAT, counter
from maskbench.report.text import NOT_MEASURED
from maskbench.results.reading import grouped
from maskbench.runfolder.folder import RunFolder

_STAGES = (
    f"{WHAT} Times are those of the run that did the work. Stored: it was found in the store and not done again, so "
    "its time is of an earlier run, on the device that is named. Peak memory is that of the process so far, where the "
    "device gives no better."
)
_RELEASES = (
    "The owner's release of all its pictures, masks and what the method has to learn included; the median over seeds."
)
_MADE = {"computed": "in this run", "stored": "stored"}
_OWN_RELEASE = r"^release (?P<method>.*) · owner(?: · seed \d+)?$"


def timing_tables(run: RunFolder) -> list[ShownTable]:
    """The table of stages, and that of releases; empty ones where the run has no such time."""
    made = run.timings[run.timings["source"].isin(_MADE)]
    count = counter(run.provenance)
    pairs = zip(made["stage"], made["title"], strict=True)
    counted = made.assign(images=pd.Series([count(*pair) for pair in pairs], index=made.index, dtype="Float64"))
    return [
        ShownTable.of("stages", _STAGES, pd.DataFrame(_stages(counted))),
        ShownTable.of("releases", _RELEASES, pd.DataFrame(_releases(counted))),
    ]


def _stages(made: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "stage": kind,
            "device": device,
            "made": _MADE[source],
            "times": str(len(part)),
            "seconds": f"{part['seconds'].sum():.1f}",
            "median seconds": f"{part['seconds'].median():.2f}",
            "images/s": _speed(part),
            "peak memory MB": _megabytes(part["peak_memory"]),
        }
        for (kind, device, source), part in grouped(made, "stage", "device", "source")
    ]


def _releases(made: pd.DataFrame) -> list[dict[str, str]]:
    methods = made["title"].str.extract(_OWN_RELEASE)["method"]
    owners = made.assign(method=methods)[methods.notna() & (made["stage"] == "release")]
    return [
        {
            "method": method,
            "device": device,
            "made": _MADE[source],
            "images/s": _rate(part["images"].median(), part["seconds"].median()),
            "seconds": f"{part['seconds'].median():.2f}",
            "peak memory MB": _megabytes(part["peak_memory"]),
        }
        for (method, device, source), part in grouped(owners, "method", "device", "source")
    ]


def _speed(part: pd.DataFrame) -> str:
    """Over the stages of which it is known how many pictures they go through."""
    known = part[part["images"].notna() & part["seconds"].notna()]
    return _rate(known["images"].sum(), known["seconds"].sum())


def _rate(images: float, seconds: float) -> str:
    if pd.isna(images) or pd.isna(seconds) or images <= 0 or seconds <= 0:
        return NOT_MEASURED
    rate = float(images / seconds)
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"


def _megabytes(peaks: pd.Series) -> str:
    known = pd.to_numeric(peaks, errors="coerce").dropna()
    return f"{known.max() / 1e6:.0f}" if len(known) else NOT_MEASURED
