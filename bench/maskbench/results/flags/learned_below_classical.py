"""Restorers that learned and stay below one that learned nothing."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.plugins.reserved import STACKED
from maskbench.results.flags.kind import Finding, FlagKind, Judged, decimal, values


def _find(judged: Judged) -> Iterator[Finding]:
    found = values(judged.leaks[judged.leaks["attack_kind"] == "restoration"])
    learned = {name: value for (name, _, source), value in found.items() if source}
    # Restorations that are taken together are no attack that learned nothing: learned ones are among them.
    classical = {name: value for (name, _, source), value in found.items() if not source and name != STACKED}
    if not classical:
        return
    best = max(classical, key=lambda name: classical[name].value)
    for name, value in learned.items():
        if value.value < classical[best].low:
            yield name, "", f"hole SSIM {decimal(value)}, {best} {decimal(classical[best])}"


FLAGS = (
    FlagKind(
        "learned-below-classical",
        "L",
        "warning",
        "a learned restorer stays below one that learned nothing",
        "It is not trained enough: raise settings.restoration.epochs or the attacker's data before it stands for what "
        "can be restored.",
        _find,
    ),
)
