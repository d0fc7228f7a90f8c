"""Attacks that read the sensitive label though the labels that they learned from were shuffled."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.plugins.reserved import PERMUTED
from maskbench.results.flags.kind import Finding, FlagKind, Judged, percent
from maskbench.results.reading import read


def _find(judged: Judged) -> Iterator[Finding]:
    rows = judged.leaks[judged.leaks["attack"] == PERMUTED]
    value = read(rows, "advantage")
    if value and value.low > 0:
        yield PERMUTED, rows["label"].iloc[0], f"advantage {percent(value)} with shuffled labels"


FLAGS = (
    FlagKind(
        "shuffled-labels",
        "H",
        "warning",
        "attacks get beyond the prior though the labels that they learned from were shuffled",
        "With many methods one in forty does so by chance. More often, the attacker's prior does not fit the owner's "
        "images, or the answer reaches attacks some other way: read every advantage of this run as too high.",
        _find,
        roles=("method", "raw"),
    ),
)
