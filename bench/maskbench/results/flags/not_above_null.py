"""Leakage that cannot be told from that of fully masked images."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.plugins.reserved import STRONGEST
from maskbench.results.flags.kind import Finding, FlagKind, Judged, percent
from maskbench.results.reading import read


def _find(judged: Judged) -> Iterator[Finding]:
    leaks = judged.leaks
    strongest = leaks[(leaks["attack"] == STRONGEST) & (leaks["attack_kind"] == "inference")]
    value = read(strongest, "advantage_over_null")
    if value and value.low <= 0:
        yield value.attack, strongest["label"].iloc[0], f"{percent(value)} over the null"


FLAGS = (
    FlagKind(
        "not-above-null",
        "N",
        "note",
        "the strongest advantage cannot be told from that on fully masked images",
        "This is no proof that nothing leaks: use more images (settings.scored), more seeds and more attacks before "
        "reading it as small.",
        _find,
    ),
)
