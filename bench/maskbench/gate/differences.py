"""The difference of one metric of one cell between two runs, with what its noise is estimated from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskbench.gate.outcomes import CellOutcomes
from maskbench.metrics.metric import Metric


@dataclass(frozen=True)
class Difference:
    """One metric of one cell in two runs, on the images that both scored.

    Attributes:
        baseline, current: the metric over all seeds.
        baseline_seeds, current_seeds: the value of each seed, in the order of the seeds.
        images: how many both have.
        seed_variance: of the value between seeds of the same code, pooled over both runs; NaN with one seed in each.
        image_variance: of the difference, for it is measured on these images and not on all that there are, beyond
            what training noise explains; 0 where the code behaves alike on every image.
        slope: how much image noise a drop brings along, by its size: of hits and misses, the change of the metric by
            that of their share, times how much of a drop falls on images that were right under all seeds; else 0.
        counted: how many of the images the metric counts: fewer where it selects them.
        same: the outcomes of every shared seed are the same, and the current run has no other seeds.
    """

    baseline: float
    current: float
    baseline_seeds: NDArray[np.float64]
    current_seeds: NDArray[np.float64]
    images: int
    seed_variance: float
    image_variance: float
    slope: float
    counted: float
    same: bool

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the variance between seeds."""
        return len(self.baseline_seeds) + len(self.current_seeds) - 2

    @property
    def shares(self) -> float:
        """By what the variance between seeds enters that of the difference: 1/n + 1/n'."""
        return 1 / len(self.baseline_seeds) + 1 / len(self.current_seeds)


def difference(baseline: CellOutcomes, current: CellOutcomes, metric: Metric, classes: int) -> Difference | None:
    """Compare two runs of a cell by a metric; None where they share no image or do not hold the metric."""
    before, after = _shared(baseline, current, metric, classes)
    if before is None or after is None or before.shape[1] == 0:
        return None
    own = [_Side.of(each, metric) for each in (before, after)]
    degrees = len(before) + len(after) - 2
    between = within = float("nan")
    if degrees:
        between = float(sum(np.square(side.values - side.values.mean()).sum() for side in own) / degrees)
        within = float(sum(side.within * (len(side.values) - 1) for side in own) / degrees)
    shares = 1 / len(before) + 1 / len(after)
    return Difference(
        own[0].value,
        own[1].value,
        own[0].values,
        own[1].values,
        before.shape[1],
        between,
        _image_variance(own[1].images - own[0].images, between, within, shares),
        _slope(metric, before),
        float(before[..., 0].mean()) * before.shape[1] if metric.selected else before.shape[1],
        _same(baseline.seeds, before, current.seeds, after),
    )


def _shared(
    baseline: CellOutcomes, current: CellOutcomes, metric: Metric, classes: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """What the metric averages, (seeds, images, k), of the images that it is defined for under all seeds of both."""
    pick: list[NDArray[np.intp] | None] = [None, None]
    if not np.array_equal(baseline.numbers, current.numbers):
        _, *places = np.intersect1d(baseline.numbers, current.numbers, assume_unique=True, return_indices=True)
        if not len(places[0]):
            return None, None
        pick = list(places)
    sides = (baseline, current)
    averaged = metric.selected or metric.averaged
    before, after = (averaged(side.of(images, classes)) for side, images in zip(sides, pick, strict=True))
    if before is None or after is None:
        return None, None
    undefined = np.isnan(before).any(axis=(0, 2)) | np.isnan(after).any(axis=(0, 2))
    return (before[:, ~undefined], after[:, ~undefined]) if undefined.any() else (before, after)


@dataclass(frozen=True)
class _Side:
    """One run's values.

    Attributes:
        value: over all seeds.
        values: of each seed.
        images: by how much each image moves the value (jackknife), mean over seeds.
        within: variance of an image's influence between seeds, mean over images.
    """

    value: float
    values: NDArray[np.float64]
    images: NDArray[np.float64]
    within: float

    @classmethod
    def of(cls, averaged: NDArray[np.float64], metric: Metric) -> _Side:
        count = averaged.shape[1]
        seeds = len(averaged)
        # Sums, for mean() and var() of numpy take several times as long on arrays as small as these.
        means = np.add.reduce(averaged, axis=1) / count
        values = np.asarray(metric.statistic(means), dtype=np.float64)
        value = float(values.mean() if metric.selected else metric.statistic(np.add.reduce(means, axis=0) / seeds))
        if averaged.shape[2] == 1 or count == 1:  # a mean: each image moves it by its own outcome
            influence = averaged[..., 0]
        else:
            without = (count * means[:, None] - averaged) / (count - 1)
            influence = count * values[:, None] - (count - 1) * np.asarray(metric.statistic(without))
        images = np.add.reduce(influence, axis=0) / seeds
        apart = (influence - images).ravel()
        within = float(np.dot(apart, apart)) / ((seeds - 1) * count) if seeds > 1 else 0.0
        return cls(value, values, images, within)


def _image_variance(change: NDArray[np.float64], between: float, within: float, shares: float) -> float:
    """Variance of the mean change over images, less what training noise adds to each image's change."""
    count = len(change)
    if count < 2:
        return 0.0
    noise = 0.0 if np.isnan(between) else max(0.0, within - between) * shares / (count - 1)
    apart = change - np.add.reduce(change) / count
    return max(0.0, float(np.dot(apart, apart)) / ((count - 1) * count) - noise)


_STEP = 0.05


def _slope(metric: Metric, averaged: NDArray[np.float64]) -> float:
    """Of the metric in its first column, where that is the share of hits."""
    if metric.unit != "share":
        return 0.0
    if metric.selected:
        # A drop moves members from where they are to the top: from a miss by 1, from a place near the top by little.
        left = np.where(averaged[..., 0] > 0, 1 - averaged[..., 1], 0.0)
        return float(np.square(left).sum() / left.sum()) if left.sum() > 0 else 1.0
    if averaged.shape[2] > 2:
        return 1.0
    mean = averaged.mean(axis=(0, 1))
    ends = np.tile(mean, (2, 1))
    ends[:, 0] = np.clip(mean[0] + np.array([-_STEP, _STEP]), 0, 1)
    low, high = np.asarray(metric.statistic(ends), dtype=np.float64)
    slope = float((high - low) / (ends[1, 0] - ends[0, 0]))
    # What gets worse are hits of a recognizer and misses of an attack; an image that is now this, now that moves less.
    moved = averaged[..., 0].mean(axis=0) if metric.direction == "higher" else 1 - averaged[..., 0].mean(axis=0)
    return slope * float(np.square(moved).sum() / moved.sum()) if moved.sum() > 0 else slope


def _same(old: Sequence[int], before: NDArray[np.float64], new: Sequence[int], after: NDArray[np.float64]) -> bool:
    if not set(new) <= set(old):
        return False
    rows = [old.index(seed) for seed in new]
    return bool(np.array_equal(before[rows], after))
