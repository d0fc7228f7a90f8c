"""Why an artifact was made: what it is made of, and what differs from the last one made for the same purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskbench.artifacts.store import Store
from maskbench.errors import DamagedArtifact, UsageError


def find(store: Store, prefix: str) -> str:
    """The key that starts with a prefix.

    Raises:
        UsageError: no artifact, or several.
    """
    found = store.keys(prefix)
    if not found:
        raise UsageError(f"No artifact's key starts with '{prefix}' in {store.root}. Keys are in a run's timings.csv.")
    if len(found) > 1:
        raise UsageError(f"{len(found)} artifacts' keys start with '{prefix}': give more of the key.")
    return found[0]


def predecessor(store: Store, key: str, journal: Sequence[Mapping[str, Any]]) -> str | None:
    """The artifact that was made before this one for the same purpose (the same title), if it is still there."""
    slot = store.describe(key)["slot"]
    earlier: str | None = None
    for entry in journal:
        if entry["key"] == key:
            return earlier
        if entry["slot"] == slot and store.folder(entry["key"]).is_dir():
            earlier = entry["key"]
    return earlier


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What differs between two artifacts' ingredients: (what, before, after); code as 'changed', 'new' or 'gone'."""
    found = []
    for part in ("parameters", "inputs", "sources", "libraries"):
        for name in sorted({*before[part], *after[part]}):
            old, new = before[part].get(name), after[part].get(name)
            if old != new:
                found.append((f"{part.rstrip('s')} {name}", _shown(part, old), _shown(part, new)))
    if before["device_type"] != after["device_type"]:
        found.append(("device", before["device_type"], after["device_type"]))
    old, new = (_numerics(ingredients) for ingredients in (before, after))
    found += [
        (name, old.get(name, "(not there)"), new.get(name, "(not there)"))
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]
    return found


def _numerics(ingredients: Mapping[str, Any]) -> dict[str, str]:
    """How a GPU rounded; nothing on the CPU, and in what was made before this could be chosen."""
    return {name: str(value) for name, value in ingredients.get("numerics", {}).items()}


def _shown(part: str, value: Any) -> str:
    if value is None:
        return "(not there)"
    return str(value)[:12] if part in ("inputs", "sources") else str(value)


Line = tuple[int, str, list[tuple[str, str, str]]]
"""Depth, title, differences; no differences where there was nothing before."""


def trace(store: Store, key: str) -> list[Line]:
    """The differences of an artifact, then those of each input that differs, and so on down to the cause.

    In the order to be read; what several artifacts are made of is told once.
    """
    return _trace(store, key, 0, store.journal(), set())


def _trace(store: Store, key: str, depth: int, journal: Sequence[Mapping[str, Any]], told: set[str]) -> list[Line]:
    told.add(key)
    description = store.describe(key)
    previous = predecessor(store, key, journal)
    if previous is None:
        return [(depth, description["slot"], [])]
    before, after = store.describe(previous)["ingredients"], description["ingredients"]
    found = differences(before, after)
    lines = [(depth, description["slot"], found)]
    for name, needed in after["inputs"].items():
        if before["inputs"].get(name) != needed and needed not in told:
            try:
                lines += _trace(store, needed, depth + 1, journal, told)
            except (KeyError, DamagedArtifact):
                lines.append((depth + 1, f"{name} ({needed[:12]}, no longer in the store)", []))
    return lines
