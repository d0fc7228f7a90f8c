"""Restorations that equal what was hidden: they were read, not inferred."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.results.flags.kind import Finding, FlagKind, Judged, attacks, decimal
from maskbench.results.reading import read

_EXACT = 0.99999
"""Mean hole SSIM. Smooth pictures come back to 0.99 and more, and still not to the last bit in every one."""


def _find(judged: Judged) -> Iterator[Finding]:
    if not judged.ratio > 0:
        return  # methods without masks: what a key or a permutation brings back may well be exact
    for attack, label, part in attacks(judged.leaks):
        value = read(part, "ssim_hole")
        if value and value.value >= _EXACT:
            yield attack, label, f"hole SSIM {decimal(value)}"


FLAGS = (
    FlagKind(
        "exact-restoration",
        "E",
        "warning",
        "an attack gives back what was hidden, exactly",
        "No release tells that much. The attack reached the raw pictures some other way, such as memory of the process "
        "or a file: read its source, and leave it out until this is mended.",
        _find,
    ),
)
