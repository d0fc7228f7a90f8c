"""Attacks that were not chosen and get more than the one that was."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.metrics.catalogue import MAIN
from maskbench.plugins.reserved import STRONGEST
from maskbench.results.flags.kind import MAIN_WORDS, Finding, FlagKind, Judged, decimal, percent, values
from maskbench.results.reading import grouped, read

_ROUNDING = 1e-9  # of means


def _find(judged: Judged) -> Iterator[Finding]:
    for (kind, _), part in grouped(judged.leaks, "attack_kind", "label"):
        strongest = read(part[part["attack"] == STRONGEST], MAIN[kind])
        if strongest is None:
            continue
        shown = decimal if kind == "restoration" else percent
        for (attack, label, _), value in values(part).items():
            # Guessing worse than the prior, on fully masked images, misses nothing.
            if value.low > max(strongest.value, 0.0) + _ROUNDING:
                yield attack, label, f"{MAIN_WORDS[kind]} {shown(value)}, strongest {shown(strongest)}"


FLAGS = (
    FlagKind(
        "strongest-missed",
        "W",
        "warning",
        "an attack that was not chosen gets more than the one that was",
        "Attacker-validation was too small to choose by, or is unlike the owner's pictures: give the attacker more "
        "data (--limit), and read the strongest attack as too weak.",
        _find,
        roles=("method", "raw", "null"),
    ),
)
