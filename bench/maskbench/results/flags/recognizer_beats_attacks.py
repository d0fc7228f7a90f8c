"""Attackers that infer the task label from a release worse than the recognizer that was trained on it.

What the owner's recognizer has just done with the release, an attacker could do.
"""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.plugins.reserved import RECOGNITION
from maskbench.results.flags.kind import Finding, FlagKind, Judged, attacks, percent
from maskbench.results.reading import pooled, read


def _find(judged: Judged) -> Iterator[Finding]:
    rows = pooled(judged.cells)
    trained = read(rows[(rows["attack"] == RECOGNITION) & (rows["split"] == "owner_test")], "accuracy")
    probes = judged.leaks[(judged.leaks["label"] == "target") & (judged.leaks["learns_from"] == "releases")]
    found = {attack: read(part, "accuracy") for attack, _, part in attacks(probes)}
    known = {attack: value for attack, value in found.items() if value}
    if trained is None or not known:
        return
    best = max(known, key=lambda attack: known[attack].value)
    if trained.low > known[best].high:
        yield best, "target", f"accuracy {percent(known[best])}, the recognizer's {percent(trained)}"


FLAGS = (
    FlagKind(
        "recognizer-beats-attacks",
        "U",
        "note",
        "the recognizer tells the task label better than any attacker that learns from the same release",
        "Unless an adjustment brings in raw pictures, attackers are not trained enough: raise "
        "settings.attack.epochs, and read leakage as too low.",
        _find,
    ),
)
