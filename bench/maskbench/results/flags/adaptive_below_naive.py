"""Attackers that adapt to the method and stay below one that does not."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.results.flags.kind import Finding, FlagKind, Judged, outdone, percent, values

_ADAPTS = ("releases", "restorations")


def _find(judged: Judged) -> Iterator[Finding]:
    found = values(judged.leaks[judged.leaks["attack_kind"] == "inference"])
    for label in dict.fromkeys(label for _, label, _ in found):
        adaptive = {name: value for (name, of, source), value in found.items() if of == label and source in _ADAPTS}
        naive = {name: value for (name, of, source), value in found.items() if of == label and source == "raw"}
        pair = outdone(adaptive, naive)
        if pair is not None:
            best, other = pair
            yield best, label, f"advantage {percent(adaptive[best])}, {other} {percent(naive[other])}"


FLAGS = (
    FlagKind(
        "adaptive-below-naive",
        "A",
        "warning",
        "an attacker that adapts to the method stays below one that does not",
        "It is not trained enough: raise settings.attack.epochs or the attacker's data, and read its leakage as too "
        "low.",
        _find,
    ),
)
