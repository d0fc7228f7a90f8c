"""What attacks infer of a label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from maskbench.metrics.classification import balanced_statistic
from maskbench.metrics.exposure import (
    FALSE_POSITIVES,
    auc_columns,
    auc_statistic,
    told_classes,
    tpr_columns,
    tpr_statistic,
)
from maskbench.metrics.families.recognition import by_class
from maskbench.metrics.identification import FALSE_ACCEPTANCE
from maskbench.metrics.intervals import Statistic, proportion
from maskbench.metrics.leakage import advantage, bits
from maskbench.metrics.metric import Metric, Outcomes, late_fall, relative, stacked

_LEAST_BITS = 0.01
"""Of what there is to learn; a share of less is noise."""


def _advantage(means: NDArray[np.float64]) -> NDArray[np.float64]:
    return advantage(means[..., 0], means[..., 1])


_ACCURACY = Metric(
    "accuracy",
    "inference",
    "lower",
    "share",
    "Share of images whose label the attack infers rightly.",
    stacked("correct"),
    proportion,
    shown=True,
)
_ADVANTAGE = Metric(
    "advantage",
    "inference",
    "lower",
    "share",
    "Accuracy on the inferred label beyond its prior: (acc − prior)/(1 − prior).",
    stacked("correct", "prior_correct"),
    _advantage,
    main=True,
    shown=True,
)


def _beside_optimum(outcomes: Outcomes) -> NDArray[np.float64] | None:
    """Information of the attack and of the optimum on the same image; NaN where the optimum was not asked for it."""
    optimum = outcomes.references.get("optimum")
    if optimum is None or "information" not in outcomes.columns:
        return None
    own = outcomes.columns["information"].astype(np.float64)
    best = np.full_like(own, np.nan)
    for row, numbers in enumerate(outcomes.columns["number"]):
        known = dict(zip(optimum.columns["number"][row], optimum.columns["information"][row], strict=True))
        best[row] = [known.get(number, np.nan) for number in numbers]
    return np.stack([own, best], axis=-1)


def _efficiency(means: NDArray[np.float64]) -> NDArray[np.float64]:
    there = means[..., 1] > _LEAST_BITS
    return np.divide(bits(means[..., 0]), means[..., 1], out=np.full(there.shape, np.nan), where=there)


_PerClass = Callable[[NDArray[np.float64], NDArray[np.bool_]], NDArray[np.float64]]


def _of_worst_class(
    columns: _PerClass, statistic: Statistic, *, each_seed: bool = False
) -> Callable[[Outcomes], NDArray[np.float64] | None]:
    """What a statistic of one class is made of, for the class of which it is largest; over all seeds, or in each."""

    def averaged(outcomes: Outcomes) -> NDArray[np.float64] | None:
        if "probabilities" not in outcomes.columns:
            return None
        stated = outcomes.columns["probabilities"].astype(np.float64)
        truth = outcomes.columns["truth"][0].astype(np.int64)
        told = told_classes(truth, stated.shape[2])
        if not told:
            return None
        every = columns(np.moveaxis(stated[..., told], 2, 1), truth == np.array(told)[:, None])
        largest = statistic(every.mean(axis=2) if each_seed else every.mean(axis=(0, 2))).argmax(axis=-1)
        return every[np.arange(len(every)), largest]

    return averaged


METRICS = (
    _ACCURACY,
    Metric(
        "balanced_accuracy",
        "inference",
        "lower",
        "share",
        "Mean of the recalls of the inferred classes present.",
        by_class,
        balanced_statistic,
    ),
    _ADVANTAGE,
    Metric(
        "bits",
        "inference",
        "lower",
        "bit",
        "What the attack learned of the label beyond its prior, per image.",
        stacked("information"),
        lambda means: bits(means[..., 0]),
        shown=True,
    ),
    Metric(
        "worst_class_auc",
        "inference",
        "lower",
        "share",
        "Area under the ROC curve, members of a class against all others, of the class that is told best.",
        _of_worst_class(auc_columns, auc_statistic),
        auc_statistic,
        selected=_of_worst_class(auc_columns, auc_statistic, each_seed=True),
    ),
    Metric(
        "worst_class_tpr",
        "inference",
        "lower",
        "share",
        f"Share of a class's members that is found where {FALSE_POSITIVES:.0%} of others pass for it, of the class "
        "where it is largest.",
        _of_worst_class(tpr_columns, tpr_statistic),
        tpr_statistic,
        selected=_of_worst_class(tpr_columns, tpr_statistic, each_seed=True),
    ),
    Metric(
        "efficiency",
        "inference",
        "lower",
        "share",
        "Bits of the attack over those of the best possible attack.",
        _beside_optimum,
        _efficiency,
        shown=True,
        needs="images from a calibrated world, whose best possible attack is known, and a method for which it is",
    ),
    Metric(
        "rank1",
        "inference",
        "lower",
        "share",
        "Share of images whose person is the most similar of all known ones.",
        stacked("rank1"),
        proportion,
    ),
    Metric(
        "rank5",
        "inference",
        "lower",
        "share",
        "Share of images whose person is among the five most similar known ones.",
        stacked("rank5"),
        proportion,
    ),
    Metric(
        "tar",
        "inference",
        "lower",
        "share",
        f"Share of images whose person is accepted where {FALSE_ACCEPTANCE:.0%} of wrong ones would be.",
        stacked("tar"),
        proportion,
    ),
    late_fall("inference"),
    relative(_ADVANTAGE, "null", "Advantage minus that on fully masked images."),
    relative(_ADVANTAGE, "less_data", "Advantage minus that of an attacker with less data."),
)
