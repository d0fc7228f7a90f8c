"""Masks whose shape alone tells a label."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.results.flags.kind import Finding, FlagKind, Judged, attacks, percent
from maskbench.results.reading import read


def _find(judged: Judged, of_label: str) -> Iterator[Finding]:
    seen = judged.leaks
    for attack, label, part in attacks(seen[(seen["learns_from"] == "masks") & (seen["label"] == of_label)]):
        value = read(part, "advantage")
        if value and value.low > 0:
            yield attack, label, f"advantage {percent(value)} from masks alone"


FLAGS = (
    FlagKind(
        "shape-leaks",
        "S",
        "warning",
        "the shape of the masks alone leaks the sensitive label",
        "Hiding more pixels or filling holes in another way does not help: choose masks that depend less on the image.",
        lambda judged: _find(judged, "sensitive"),
    ),
    FlagKind(
        "shape-recognizes",
        "T",
        "note",
        "the shape of the masks alone tells the target label",
        "Compare the accuracy with the one from the shape alone: only what is above it comes from visible pixels.",
        lambda judged: _find(judged, "target"),
    ),
)
