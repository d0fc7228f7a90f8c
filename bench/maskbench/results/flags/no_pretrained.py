"""Runs in which no attack knew more than the attacker's own pictures."""

from __future__ import annotations

from collections.abc import Iterator

from maskbench.results.flags.kind import Finding, FlagKind, Judged, attacks, declared


def _find(judged: Judged) -> Iterator[Finding]:
    names = {name for name, _, _ in attacks(judged.leaks)}
    if names and not any(_is_pretrained(name) for name in names):
        yield "", "", "all attacks learned from the attacker's own pictures alone"


def _is_pretrained(attack: str) -> bool:
    plugin = declared(attack)
    if plugin is None:
        return False
    _, _, parameters = attack.partition(":")
    return plugin.pretrained or any(f"{name}=" in parameters for name in plugin.paths)


FLAGS = (
    FlagKind(
        "no-pretrained",
        "P",
        "note",
        "no attack brought weights from elsewhere",
        "Anyone can download a network that has seen millions of pictures: add an attack that brings such weights or "
        "takes a file of them (docs/attacks.md), and read leakage as too low until then.",
        _find,
        roles=(),
    ),
)
