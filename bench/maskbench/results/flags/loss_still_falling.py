"""Attacks whose training loss was still falling when their epochs were over."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.metrics.catalogue import MAIN
from maskbench.results.flags.kind import Finding, FlagKind, Judged, attacks
from maskbench.results.reading import read

_STEADY = 0.25
"""The last quarter brought a quarter of the fall. On digits, 75 % hidden, 12 epochs, attacks above it gained 7 to 9
points of advantage or hundredths of SSIM from 40; on pixelated ones, below it, they gained less than 1."""

_SINGLE_EPOCH = 1.0


def _find(judged: Judged) -> Iterator[Finding]:
    for attack, label, part in attacks(judged.leaks):
        kind = part["attack_kind"].iloc[0]
        fall, reached = read(part, "late_fall"), read(part, MAIN[kind])
        if fall is None or fall.value < _STEADY:
            continue
        # What reads nothing on other pictures learns its own by heart: its loss falls, and more epochs would not help.
        by_heart = kind == "inference" and reached is not None and reached.low <= 0
        if not by_heart or fall.value >= _SINGLE_EPOCH:
            yield attack, label, f"{fall.value:.0%} of the fall of its loss came in the last quarter of its epochs"


FLAGS = (
    FlagKind(
        "loss-still-falling",
        "I",
        "warning",
        "an attack was still learning when its training ended",
        "Raise settings.attack.epochs (of a restoration attack, settings.restoration.epochs) until the flag is gone, "
        "and read its leakage as a lower bound until then.",
        _find,
    ),
)
