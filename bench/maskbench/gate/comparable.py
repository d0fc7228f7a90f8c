"""Whether two runs may be compared at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_FIELDS = (
    ("threat model", ("threat_model",)),
    ("data set", ("data", "name")),
    ("data content", ("data", "fingerprint")),
    ("target label", ("data", "target")),
    ("sensitive label", ("data", "sensitive")),
    ("classes of the target label", ("data", "target_classes")),
    ("classes of the sensitive label", ("data", "sensitive_classes")),
    ("image size", ("data", "size")),
    ("sizes of the splits", ("data", "sizes")),
    ("seed of the splits", ("data", "split_seed")),
    ("recognizer", ("suite", "settings", "recognizer")),
)
"""What must be the same: in words, and where ``run.json`` has it."""


def obstacles(baseline: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[str]:
    """Why two runs cannot be compared, by their provenance; nothing where they can."""
    for name, path in _FIELDS:
        old, new = _at(baseline, path), _at(current, path)
        if old != new:
            yield f"{name}: {_shown(old)} in the baseline, {_shown(new)} in the current run"


def _at(provenance: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = provenance
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    # Runs of before say no seed of their splits, and had this one.
    return 0 if found is None and path == ("data", "split_seed") else found


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:40]}…"
