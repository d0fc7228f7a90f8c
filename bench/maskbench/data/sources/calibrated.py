"""Worlds with a known optimum: built in, drawn from a seed, nothing is downloaded."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskbench.data.sizes import SMALLEST
from maskbench.data.source import LabelTable, RawImages, Source
from maskbench.errors import UsageError, nearest, unknown
from maskbench.plugins.names import parse
from maskbench.worlds.world import FAMILIES, World

_DEFAULTS = {"family": "gaussian-linear", "pictures": 2400, "side": 16, "seed": 0}
_LARGEST = 64  # px: a covariance of 4,096 pixels takes 134 MB
_RANGES = {"pictures": (100, 1_000_000), "side": (SMALLEST, _LARGEST), "seed": (0, 2**32 - 1)}


class Calibrated(Source):
    """Target ``task``, sensitive ``sensitive``; ``pictures`` are those of all parties together."""

    name = "calibrated"
    description = (
        f"calibrated[:family=F,pictures=N,side=PX,seed=S]: worlds whose best possible attack is known; "
        f"families: {', '.join(FAMILIES)}"
    )
    flippable = False
    drawn = True
    default_target = "task"
    default_sensitive = "sensitive"

    @classmethod
    def opened(cls, text: str) -> Calibrated | None:
        """Open a world as it is typed: ``calibrated:family=texture,pictures=5000``."""
        if text.partition(":")[0] != cls.name:
            return None
        return cls(**_checked(parse(text)[1]))

    def __init__(self, family: str, pictures: int, side: int, seed: int) -> None:
        self._drawn = self.world = World(family, side, seed)
        self.shows_persons = self._drawn.persons(1) is not None
        self._count = pictures
        given = {"family": family, "pictures": pictures, "side": side, "seed": seed}
        shown = [f"{name}={value}" for name, value in given.items() if name == "family" or value != _DEFAULTS[name]]
        self.title = self.canonical = f"{self.name}:{','.join(shown)}"

    def labels(self) -> LabelTable:
        """Return the task and the sensitive label of each picture."""
        sensitive, task = self._drawn.labels(self._count)
        sensitive_classes, task_classes = self._drawn.mixture.prior.shape
        return LabelTable(
            labels={"task": task, "sensitive": sensitive},
            classes={
                "task": [f"task-{number}" for number in range(task_classes)],
                "sensitive": [f"class-{number}" for number in range(sensitive_classes)],
            },
            native_test=None,
            notes=["Drawn from a world whose best possible attack is known; a mirrored picture is none of it."],
            persons=self._drawn.persons(self._count),
        )

    def images(self) -> RawImages:
        """Give access to the drawn pictures."""
        pixels = _pictures(self._drawn, self._count)
        return RawImages(
            raw=lambda row: pixels[row].data,
            open=lambda row: Image.fromarray(pixels[row]),
            where=lambda row: f"{self.title}, row {row}",
        )

    def fingerprint(self) -> str:
        """Hash what the pictures are drawn from: the code that draws them is in every key already."""
        return hashlib.sha256(repr((self._drawn, self._count)).encode()).hexdigest()


@lru_cache(maxsize=2)
def _pictures(world: World, count: int) -> NDArray[np.uint8]:
    return world.pictures(count)


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if name not in _DEFAULTS:
            raise UsageError(f"'calibrated' has no parameter '{name}'{nearest(name, _DEFAULTS)}")
        if name == "family":
            if value not in FAMILIES:
                raise unknown("family of calibrated worlds", str(value), FAMILIES)
            continue
        low, high = _RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UsageError(f"'calibrated': {name}={value} is not valid: choose a number from {low} to {high:,}.")
    return {**_DEFAULTS, **given}
