"""How many pictures a stage goes through, from what a run says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from maskbench.data.parties import SPLITS_OF

_PARTY = re.compile(r" · (owner|attacker)\b")
_SPLIT = re.compile(r" · ((?:owner|attacker)_\w+)")

WHAT = (
    "Images/s count the pictures that are decoded, released, attributed, restored, answered or matched; of recognizers "
    "and teachers, those that they learn from, once an epoch. Time to learn is in it."
)


def counter(provenance: Mapping[str, Any]) -> Callable[[str, str], int | None]:
    """How many pictures a stage of a run goes through: (its kind, its title) → how many; None where that is not known.

    Args:
        provenance: the content of ``run.json``.
    """
    sizes: Mapping[str, int] = provenance["data"].get("sizes", {})
    settings: Mapping[str, Any] = provenance.get("suite", {}).get("settings", {})
    epochs, scored = settings.get("recognition", {}).get("epochs"), settings.get("scored")

    def of_party(title: str) -> int | None:
        found = _PARTY.search(title)
        return None if found is None else sum(sizes.get(split, 0) for split in _splits(found[1]))

    def of_split(title: str) -> int | None:
        found = _SPLIT.search(title)
        return None if found is None else sizes.get(found[1])

    def learned(party: str) -> int | None:
        size = sizes.get(_splits(party)[0])
        return size * epochs if size and epochs else None

    def attacked(*splits: str) -> int | None:
        return sum(min(scored, sizes.get(split, 0)) for split in splits) if scored else None

    def inferred(title: str) -> int | None:
        # Attacks on the target label are chosen on a part of owner-train whose size is not recorded.
        return attacked("owner_train", "owner_test", "attacker_validation") if " sensitive from " in title else None

    ways: Mapping[str, Callable[[str], int | None]] = {
        "data": lambda title: sum(sizes.values()),
        "release": of_party,
        "attribution": of_split,
        "recognition": lambda title: learned("owner"),
        "teacher": lambda title: learned("attacker" if "attacker" in title else "owner"),
        "restoration": lambda title: attacked("owner_train", "owner_test", "attacker_validation"),
        "inference": inferred,
        "matching": lambda title: attacked("owner_train", "owner_test", "attacker_validation"),
    }

    def count(kind: str, title: str) -> int | None:
        found = ways[kind](title) if kind in ways else None
        return found or None  # of an older run, which does not say

    return count


def _splits(party: str) -> tuple[str, str]:
    return SPLITS_OF["attacker" if party == "attacker" else "owner"]
