"""Attacks that train networks and stay below one that trains none."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.plugins.attack import InferenceAttack
from maskbench.results.flags.kind import Finding, FlagKind, Judged, declared, outdone, percent, values
from maskbench.results.reading import Value

_LEARNS_FROM = ("releases", "restorations")


def _find(judged: Judged) -> Iterator[Finding]:
    found = values(judged.leaks[judged.leaks["attack_kind"] == "inference"])
    for label in dict.fromkeys(label for _, label, _ in found):
        networks: dict[str, Value] = {}
        others: dict[str, Value] = {}
        for (name, of, source), value in found.items():
            plugin = declared(name)
            if of == label and source in _LEARNS_FROM and plugin is not None and issubclass(plugin, InferenceAttack):
                (networks if plugin.trains_network else others)[name] = value
        pair = outdone(networks, others)
        if pair is not None:
            best, other = pair
            yield best, label, f"advantage {percent(networks[best])}, {other} {percent(others[other])}"


FLAGS = (
    FlagKind(
        "linear-above-networks",
        "B",
        "warning",
        "attacks that train a network stay below one that trains none",
        "They are not trained enough for so few pictures: raise settings.attack.epochs or the attacker's data.",
        _find,
    ),
)
