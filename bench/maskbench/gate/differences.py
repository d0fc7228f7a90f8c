"""The difference of one metric of one cell between two runs, with what its noise is estimated from.

Cells that were scored alike are taken together, as arrays of (cells, seeds, images): a run may have thousands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from maskbench.gate.alike import Alike, alike
from maskbench.gate.outcomes import CellOutcomes
from maskbench.metrics.metric import Metric, Outcomes


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
        counted: how many of the images a drop falls on: fewer where the metric selects them.
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
    def finite(self) -> bool:
        """Whether both runs have a value."""
        return isfinite(self.baseline) and isfinite(self.current)

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the variance between seeds."""
        return len(self.baseline_seeds) + len(self.current_seeds) - 2

    @property
    def shares(self) -> float:
        """By what the variance between seeds enters that of the difference: 1/n + 1/n'."""
        return 1 / len(self.baseline_seeds) + 1 / len(self.current_seeds)


def differences(
    pairs: Sequence[tuple[CellOutcomes, CellOutcomes]], metrics: Sequence[Metric], classes: int
) -> list[dict[str, Difference]]:
    """Compare two runs of cells.

    Args:
        pairs: what each cell got in the baseline and in the current run.
        metrics: of their family.
        classes: number of classes of their label; 0 where it has none.

    Returns:
        For each pair, metric → its difference; without the metrics that the two runs do not both hold on shared images.
    """
    found: list[dict[str, Difference]] = [{} for _ in pairs]
    for together in alike(pairs):
        for metric in metrics:
            before, after = (_averaged(side, metric, together, classes) for side in (together.before, together.after))
            if before is None or after is None:
                continue
            for part, images in _defined(before, after):
                places = [together.places[place] for place in part]
                some = (before, after) if images is None else (before[part][:, :, images], after[part][:, :, images])
                for place, each in zip(places, _differences(*some, metric, together), strict=True):
                    found[place][metric.name] = each
    return found


def _averaged(
    side: dict[str, NDArray[np.generic]], metric: Metric, together: Alike, classes: int
) -> NDArray[np.float64] | None:
    """What the metric averages, (cells, seeds, images, k): of each seed alone, so that cells need not be told apart."""
    found = (metric.selected or metric.averaged)(Outcomes(side, classes))
    return None if found is None else found.reshape(len(together.places), -1, *found.shape[1:])


def _defined(
    before: NDArray[np.float64], after: NDArray[np.float64]
) -> Iterator[tuple[list[int], NDArray[np.bool_] | None]]:
    """Cells with the images that the metric is defined for under all seeds of both runs; None: all images."""
    # (cells, images)
    undefined = np.asarray(np.isnan(before).any(axis=(1, 3)) | np.isnan(after).any(axis=(1, 3)))
    if not undefined.any():
        yield list(range(len(before))), None
        return
    for place in range(len(before)):
        if not undefined[place].all():
            yield [place], ~undefined[place]


def _differences(
    before: NDArray[np.float64], after: NDArray[np.float64], metric: Metric, together: Alike
) -> Iterator[Difference]:
    """Of cells, (cells, seeds, images, k)."""
    old, new = _Side.of(before, metric), _Side.of(after, metric)
    degrees = before.shape[1] + after.shape[1] - 2
    between = within = np.full(len(before), np.nan)
    if degrees:
        between = sum(
            np.square(side.values - side.values.mean(axis=1, keepdims=True)).sum(axis=1) for side in (old, new)
        )
        between = between / degrees
        within = sum(side.within * (side.values.shape[1] - 1) for side in (old, new)) / degrees
    shares = 1 / before.shape[1] + 1 / after.shape[1]
    images = _image_variance(new.images - old.images, between, within, shares)
    slope, counted = _slope(metric, before)
    same = _same(before, after, together)
    for place in range(len(before)):
        yield Difference(
            float(old.value[place]),
            float(new.value[place]),
            old.values[place],
            new.values[place],
            before.shape[2],
            float(between[place]),
            float(images[place]),
            float(slope[place]),
            float(counted[place]),
            bool(same[place]),
        )


@dataclass(frozen=True)
class _Side:
    """One run's values.

    Attributes:
        value: over all seeds, (cells,).
        values: of each seed, (cells, seeds).
        images: by how much each image moves the value (jackknife), mean over seeds, (cells, images).
        within: variance of an image's influence between seeds, mean over images, (cells,).
    """

    value: NDArray[np.float64]
    values: NDArray[np.float64]
    images: NDArray[np.float64]
    within: NDArray[np.float64]

    @classmethod
    def of(cls, averaged: NDArray[np.float64], metric: Metric) -> _Side:
        _, seeds, count, columns = averaged.shape
        means = _mean(averaged)
        values = np.asarray(metric.statistic(means), dtype=np.float64)
        value = values.mean(axis=1) if metric.selected else np.asarray(metric.statistic(means.mean(axis=1)))
        if columns == 1 or count == 1:  # a mean: each image moves it by its own outcome
            influence = averaged[..., 0]
        else:
            without = (count * means[:, :, None] - averaged) / (count - 1)
            influence = count * values[..., None] - (count - 1) * np.asarray(metric.statistic(without))
        images = influence.mean(axis=1)
        apart = influence - images[:, None]
        squares = np.einsum("csi,csi->c", apart, apart)
        within = squares / ((seeds - 1) * count) if seeds > 1 else np.zeros(len(averaged))
        return cls(value, values, images, within)


def _mean(averaged: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over images. A product, for numpy's mean takes several times as long where the last axis is short."""
    return np.asarray(np.full(averaged.shape[2], 1 / averaged.shape[2]) @ averaged)


def _image_variance(
    change: NDArray[np.float64], between: NDArray[np.float64], within: NDArray[np.float64], shares: float
) -> NDArray[np.float64]:
    """Variance of the mean change over images, less what training noise adds to each image's change; (cells,)."""
    count = change.shape[1]
    if count < 2:
        return np.zeros(len(change))
    noise = np.maximum(0.0, np.nan_to_num(within - between)) * shares / (count - 1)
    apart = change - change.mean(axis=1, keepdims=True)
    return np.maximum(0.0, np.einsum("ci,ci->c", apart, apart) / ((count - 1) * count) - noise)


_STEP = 0.05


def _slope(metric: Metric, averaged: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and number of counted images, (cells,) each; see ``Difference``. The first column is the share of hits."""
    cells, _, images, columns = averaged.shape
    counted = np.full(cells, float(images))
    if metric.unit != "share":
        return np.zeros(cells), counted
    if metric.selected:
        return _slope_of_class(averaged)
    if columns > 2:
        return np.ones(cells), counted
    mean = _mean(averaged).mean(axis=1)
    ends = np.stack([mean, mean], axis=1)
    ends[..., 0] = np.clip(mean[:, :1] + np.array([-_STEP, _STEP]), 0, 1)
    low, high = np.moveaxis(np.asarray(metric.statistic(ends), dtype=np.float64), 1, 0)
    # What gets worse are hits of a recognizer and misses of an attack; an image that is now this, now that moves less.
    hits = averaged[..., 0].mean(axis=1)
    return (high - low) / (ends[:, 1, 0] - ends[:, 0, 0]) * _evenness(
        hits if metric.direction == "higher" else 1 - hits
    ), counted


def _slope_of_class(averaged: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same where each seed names a class: a drop falls on the class that most of them name.

    A drop moves members from where they are to the top: from a miss by 1, from a place near the top by little.
    """
    members = averaged[..., 0]
    common = np.matmul(members, members.swapaxes(1, 2))  # of two seeds; as many as either has where both name one class
    seed = (common == np.diagonal(common, axis1=1, axis2=2)[:, None]).sum(axis=2).argmax(axis=1)
    named = members[np.arange(len(members)), seed]
    mine = (members == named[:, None]).all(axis=2)
    left = ((1 - averaged[..., 1]) * mine[..., None]).sum(axis=1) / mine.sum(axis=1, keepdims=True)
    return _evenness(named * left), named.sum(axis=1)


def _evenness(moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean square over mean, of what images (cells, images) can be moved by; 1 where that is nothing."""
    total = moved.sum(axis=1)
    return np.divide(np.square(moved).sum(axis=1), total, out=np.ones(len(moved)), where=total > 0)


def _same(before: NDArray[np.float64], after: NDArray[np.float64], together: Alike) -> NDArray[np.bool_]:
    old, new = together.seeds
    if not set(new) <= set(old):
        return np.zeros(len(before), dtype=bool)
    rows = [old.index(seed) for seed in new]
    return np.asarray((before[:, rows] == after).all(axis=(1, 2, 3)))
