"""What changed between two runs, by the keys of the stages that a cell is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from maskbench.gate.matching import Match
from maskbench.results.timings import SHORT

_INPUT = re.compile(r"(\S.*?)=([0-9a-f]{16})(?: |$)")
_WHOSE: Mapping[str, str] = {
    "data": "data",
    "teacher": "method",
    "attribution": "method",
    "release": "method",
    "recognition": "recognizer",
    "masks": "attack",
    "restoration": "attack",
    "inference": "attack",
    "matching": "attack",
    "membership": "attack",
    "scoring": "scoring",
}
"""Kind of a stage → what it belongs to, in a reader's words."""

_PARTS: Mapping[str, str] = {
    "sources": "code",
    "parameters": "parameters",
    "libraries": "libraries",
}

UNKNOWN = "not known: the runs share no seed, or do not say what they are made of"
NOTHING = "nothing in the keys: the same code gave other outcomes, so look at the machine"


@dataclass(frozen=True)
class _Made:
    """What a stage was made of."""

    kind: str
    parts: Mapping[str, str]
    inputs: Mapping[str, str]


@dataclass
class Causes:
    """Finds what differs between two cells of one name: whose part, and which part of it.

    Attributes:
        before, after: beginning of a key → what was made, in each run.
    """

    before: Mapping[str, _Made]
    after: Mapping[str, _Made]
    _known: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, baseline: pd.DataFrame, current: pd.DataFrame) -> Causes:
        """From the timings of two runs."""
        return cls(_made(baseline), _made(current))

    def of_cell(self, match: Match) -> frozenset[str]:
        """Such as "attack code" and "method parameters"; empty where the keys are the same or tell nothing."""
        if match.baseline is None or match.current is None:
            return frozenset()
        found: set[str] = set()
        for seed, key in match.current.keys.items():
            found |= self._between(match.baseline.keys.get(seed, "")[:SHORT], key[:SHORT])
        return frozenset(found)

    def known(self, match: Match) -> bool:
        """Whether the keys of any seed that both ran are there."""
        if match.baseline is None or match.current is None:
            return False
        old = match.baseline.keys
        return any(
            old.get(seed, "")[:SHORT] in self.before and key[:SHORT] in self.after
            for seed, key in match.current.keys.items()
        )

    def _between(self, old: str, new: str) -> frozenset[str]:
        if old == new or old not in self.before or new not in self.after:
            return frozenset()
        if (old, new) not in self._known:
            before, after = self.before[old], self.after[new]
            whose = _WHOSE.get(after.kind, after.kind)
            found = {f"{whose} {name}" for part, name in _PARTS.items() if before.parts[part] != after.parts[part]}
            if before.inputs.keys() != after.inputs.keys():
                found.add(f"{whose} inputs")
            elif not found and before.inputs == after.inputs:
                found.add("device")  # what is left of a key
            for name in before.inputs.keys() & after.inputs.keys():
                found |= self._between(before.inputs[name], after.inputs[name])
            self._known[old, new] = frozenset(found)
        return self._known[old, new]


def same_keys(match: Match) -> bool:
    """Whether every seed of the current run has the very key that it has in the baseline."""
    if match.baseline is None or match.current is None:
        return False
    old, new = match.baseline.keys, match.current.keys
    return bool(new) and all(key and old.get(seed) == key for seed, key in new.items())


def method_same(causes: frozenset[str]) -> bool:
    """Whether what changed leaves the releases as they were."""
    return bool(causes) and not any(cause.startswith(("method", "data")) for cause in causes)


def changed_code(baseline: Mapping[str, str], current: Mapping[str, str]) -> list[str]:
    """Modules whose code differs, of those that both ran or that one has more."""
    return sorted(name for name in {*baseline, *current} if baseline.get(name) != current.get(name))


def _made(timings: pd.DataFrame) -> dict[str, _Made]:
    columns = ["key", "stage", "libraries", "parameters", "sources", "inputs"]
    rows = timings.reindex(columns=columns).fillna("").astype(str)
    found = {}
    for key, stage, libraries, parameters, sources, inputs in rows.itertuples(index=False, name=None):
        if sources:
            parts = {"libraries": libraries, "parameters": parameters, "sources": sources}
            found[key[:SHORT]] = _Made(stage, parts, dict(_INPUT.findall(inputs)))
    return found
