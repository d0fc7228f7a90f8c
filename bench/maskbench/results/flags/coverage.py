"""Runs in which not every cell ran."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.results.flags.kind import Finding, FlagKind, Judged
from maskbench.results.measure import planned_of


def _find(judged: Judged) -> Iterator[Finding]:
    every = planned_of(judged.cells)
    ok = int((every["status"] == "ok").sum())
    if ok < len(every):
        missing = [f"{int((every['status'] == status).sum())} {status}" for status in ("failed", "unavailable")]
        yield "", "", f"{ok} of {len(every)} cells ok ({ok / len(every):.1%}): {', '.join(missing)}"


FLAGS = (
    FlagKind(
        "coverage",
        "C",
        "note",
        "not every cell ran",
        "The strongest attack is the strongest of those that ran: see the reasons in cells.csv, and compare only "
        "methods that faced the same attacks.",
        _find,
        roles=(),
    ),
)
