"""How much work a stage is likely to be, before any was done: good enough to divide a suite evenly, and no more."""

from __future__ import annotations

from maskbench.stages.inference import Inference
from maskbench.stages.restoration import Restoration
from maskbench.stages.stage import Stage

_SECONDS = {
    "data": 0.1,
    "teacher": 3.0,
    "attribution": 6.0,
    "release": 0.1,
    "recognition": 5.0,
    "masks": 3.0,
    "raw model": 3.0,
    "restoration": 0.6,
    "closest restoration": 0.6,
    "inference": 0.2,
    "matching": 0.3,
    "membership": 0.3,
    "scoring": 0.1,
}
"""Seconds of a stage that trains no attack, by its kind: about those of the suite ``quick`` on one core."""

_LEARNED = {"restoration": 3.0, "inference": 3.0}
"""The same of an attack that learns."""

_UNKNOWN = 1.0


def expected_work(stage: Stage) -> float:
    """The seconds that a stage is likely to take, relative to those of others.

    The same on every machine and every day: whoever divides a suite by it gets the same parts.
    """
    if isinstance(stage, Restoration | Inference) and stage.attack.learns_from:
        return _LEARNED[stage.kind]
    return _SECONDS.get(stage.kind, _UNKNOWN)
