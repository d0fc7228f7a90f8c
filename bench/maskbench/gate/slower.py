"""Whether the same stages take longer than they did, on the same device."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

LIMIT = 1.5
"""Ratio of times above which a warning is given."""

_LEAST = 5.0  # seconds: what takes less says more of the machine than of the code


@dataclass(frozen=True)
class Slower:
    """Time of the stages of a kind that both runs computed on the same device, in seconds."""

    stage: str
    device: str
    baseline: float
    current: float

    @property
    def ratio(self) -> float:
        """Current over baseline."""
        return self.current / self.baseline


def slower(baseline: pd.DataFrame, current: pd.DataFrame, limit: float) -> list[Slower]:
    """Kinds of stages that take more than ``limit`` times as long; stored stages tell nothing of the current code.

    What ran beside other work is not held against what ran alone.
    """
    before = baseline[baseline["source"].isin(["computed", "stored"])]
    after = current[current["source"] == "computed"]
    both = before.merge(after, on=["stage", "title", "device", "alone"], suffixes=("_before", "_after"))
    sums = both.groupby(["stage", "device"], sort=True)[["seconds_before", "seconds_after"]].sum()
    found = [
        Slower(str(stage), str(device), *map(float, times))
        for (stage, device), times in zip(sums.index, sums.to_numpy(), strict=True)
    ]
    return [each for each in found if each.baseline >= _LEAST and each.ratio > limit]
