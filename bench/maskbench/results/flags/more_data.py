"""Leakage that still rises with more of the attacker's data."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.metrics.catalogue import MAIN
from maskbench.results.flags.kind import MAIN_WORDS, Finding, FlagKind, Judged, attacks, decimal, percent
from maskbench.results.reading import read

_LEAST_RISE = 0.005
"""Of SSIM or advantage: paired intervals tell smaller rises from none, but they change no conclusion."""


def _find(judged: Judged) -> Iterator[Finding]:
    cells = judged.cells
    for attack, label, part in attacks(judged.leaks):
        kind = part["attack_kind"].iloc[0]
        value = read(part, f"{MAIN[kind]}_over_less_data")
        if value and value.low > 0 and value.value > _LEAST_RISE:
            same = cells[(cells["attack"] == attack) & (cells["label"] == label)]
            less = sorted(same["aux_share"].unique())[-2]
            rise = decimal(value) if kind == "restoration" else percent(value)
            yield attack, label, f"{MAIN_WORDS[kind]} up by {rise} from {less:.0%} of the data to all"


FLAGS = (
    FlagKind(
        "more-data",
        "D",
        "warning",
        "leakage still rises with more of the attacker's data",
        "Read it as a lower bound, and run with more data (--limit) until the curve of aux_shares is flat.",
        _find,
    ),
)
