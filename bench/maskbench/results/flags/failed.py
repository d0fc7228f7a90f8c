"""Cells that failed."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.plugins.reserved import RECOGNITION
from maskbench.results.flags.kind import Finding, FlagKind, Judged
from maskbench.results.measure import planned_of


def _find(judged: Judged) -> Iterator[Finding]:
    cells = planned_of(judged.cells)
    for reason, part in cells[cells["status"] == "failed"].groupby("reason", sort=False):
        attacks = ", ".join("recognition" if name == RECOGNITION else name for name in part["attack"].unique())
        yield attacks, ", ".join(filter(None, part["label"].unique())), f"{len(part)} × {reason}"


FLAGS = (
    FlagKind(
        "failed",
        "F",
        "warning",
        "a cell failed",
        "Mend it (failures.log has the traceback) and run again: what is done is found in the store. Until then the "
        "strongest attack on the method is not known.",
        _find,
        roles=("method", "raw", "null"),
    ),
)
