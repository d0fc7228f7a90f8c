"""What a reported metric is: declared once, with its direction, and computed from outcomes of single images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from maskbench.metrics.comparison import Comparison
from maskbench.metrics.intervals import Statistic, mean

Direction = Literal["higher", "lower"]
Family = Literal[
    "recognition", "restoration", "inference", "matching", "linkage", "person-linkage", "masks", "membership"
]

Columns = Mapping[str, NDArray[np.generic]]
"""Name of an outcome → (seeds, images): the same images under every seed."""

Measure = Callable[[Comparison], Tensor | None]
"""One value an image, (N,); None where it cannot be measured on these images or without a network."""


@dataclass(frozen=True)
class Outcomes:
    """What is known of one cell, image by image.

    Attributes:
        columns: its outcomes.
        classes: number of classes of its label; 0 where it has none.
        references: outcomes of other cells on the same images and seeds, by what they are: ``raw`` (the recognizer of
            raw images), ``null`` (the same attack on fully masked images), ``less_data`` (an attacker with less data).
    """

    columns: Columns
    classes: int = 0
    references: Mapping[str, Outcomes] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """One reported metric.

    Attributes:
        name: what the column ``metric`` of ``cells`` holds; unique within its family.
        direction: what the DATA OWNER wants. Recognition should be "higher", leakage "lower": a better restoration
            raises ``psnr``, and that is worse.
        averaged: outcomes → (seeds, images, k), what is averaged over images and seeds; None where they do not hold it.
            Where there is no ``selected``, each seed's by itself: a comparison puts the seeds of many cells together.
        statistic: from the k means to the metric.
        measure: how the outcome of each image is measured from pictures, of metrics of restorations.
        main: a kind of attack is judged by it.
        shown: it stands in the table of all attacks.
        needs: what has to be there for it to be measured, where that is not always so; ``run.json`` says what was not.
        selected: as ``averaged``, of metrics that choose images by the outcomes themselves, but here each seed chooses
            alone; the first of what is averaged says which images count. More seeds choose with less luck, so runs of
            unlike many seeds are compared by this.
        compared: whether comparisons of runs look at it: how well an attack was trained is no result.
    """

    name: str
    family: Family
    direction: Direction
    unit: str
    description: str
    averaged: Callable[[Outcomes], NDArray[np.float64] | None]
    statistic: Statistic = mean
    measure: Measure | None = None
    main: bool = False
    shown: bool = False
    needs: str = ""
    selected: Callable[[Outcomes], NDArray[np.float64] | None] | None = None
    compared: bool = True


def stacked(*names: str) -> Callable[[Outcomes], NDArray[np.float64] | None]:
    """What is averaged where a metric is a function of the means of some columns: (seeds, images, len(names))."""

    def averaged(outcomes: Outcomes) -> NDArray[np.float64] | None:
        if any(name not in outcomes.columns for name in names):
            return None
        return np.stack([outcomes.columns[name].astype(np.float64) for name in names], axis=-1)

    return averaged


def late_fall(family: Family) -> Metric:
    """Whether the loss of an attack's training still fell at its end; see ``training.losses.late_fall``."""
    return Metric(
        "late_fall",
        family,
        "higher",
        "share",
        "Share of the fall of the training loss that came in the last quarter of the epochs; 0 of next to no fall.",
        stacked("late_fall"),
        needs="an attack that trains a network",
        compared=False,
    )


def relative(metric: Metric, reference: str, description: str) -> Metric:
    """The metric minus its value for a reference, paired: the same images and seeds, resampled together."""

    def averaged(outcomes: Outcomes) -> NDArray[np.float64] | None:
        other = outcomes.references.get(reference)
        parts = [metric.averaged(each) for each in (outcomes, other) if each is not None]
        found = [part for part in parts if part is not None]
        return np.concatenate(found, axis=-1) if len(found) == 2 else None

    def gap(means: NDArray[np.float64]) -> NDArray[np.float64]:
        own, theirs = np.split(means, 2, axis=-1)
        return metric.statistic(own) - metric.statistic(theirs)

    return Metric(
        f"{metric.name}_over_{reference}", metric.family, metric.direction, metric.unit, description, averaged, gap
    )
