"""Attacks that do not work even where nothing was hidden."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from maskbench.results.flags.kind import Finding, FlagKind, Judged, attacks, percent
from maskbench.results.reading import read

_FAITHFUL = 20 * np.log10(255)
"""dB: off by one 8-bit step. An attack that is given the raw image itself and comes out further from it distorts it."""


def _find(judged: Judged) -> Iterator[Finding]:
    for attack, label, part in attacks(judged.leaks):
        if part["attack_kind"].iloc[0] == "inference":
            value = read(part, "advantage")
            if value and value.low <= 0:
                yield attack, label, f"advantage {percent(value)} on raw images"
        else:
            value = read(part, "psnr")
            if value and value.value < _FAITHFUL:
                finding = f"PSNR {value.value:.1f} dB on raw images, which it only had to leave as they are"
                yield attack, label, finding


FLAGS = (
    FlagKind(
        "fails-on-raw",
        "R",
        "warning",
        "an attack does not work on raw images",
        "Little leakage to it says nothing about any method. Train it longer, give it more pictures, or leave it out.",
        _find,
        roles=("raw",),
    ),
)
