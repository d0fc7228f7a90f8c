"""How well the recognizer that was trained on a release does its task, and how much that release hides."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from maskbench.metrics.classification import balanced_columns, balanced_statistic
from maskbench.metrics.intervals import proportion
from maskbench.metrics.leakage import utility
from maskbench.metrics.metric import Metric, Outcomes, stacked


def by_class(outcomes: Outcomes) -> NDArray[np.float64] | None:
    """What balanced accuracy averages: (seeds, images, 2 × classes); None where the outcomes do not hold it."""
    if any(name not in outcomes.columns for name in ("correct", "truth")):
        return None
    correct, truth = (torch.from_numpy(np.asarray(outcomes.columns[name])) for name in ("correct", "truth"))
    columns = balanced_columns(correct.flatten(), truth.flatten(), outcomes.classes)
    return columns.unflatten(0, correct.shape).numpy()


_SURE = 2.0
"""Standard errors over images by which raw images have to beat the prior: of less there is no utility to keep."""


def _beside_raw(outcomes: Outcomes) -> NDArray[np.float64] | None:
    """What utility is made of, (seeds, images, 3); NaN where raw images do not beat the prior."""
    raw = outcomes.references.get("raw")
    if raw is None:
        return None
    columns = outcomes.columns["correct"], outcomes.columns["prior_correct"], raw.columns["correct"]
    own, prior, best = (column.astype(np.float64) for column in columns)
    beyond = (best - prior).mean(axis=0)
    if beyond.mean() * np.sqrt(len(beyond)) <= _SURE * beyond.std():
        best = np.full_like(best, np.nan)
    return np.stack([own, prior, best], axis=-1)


METRICS = (
    Metric(
        "accuracy",
        "recognition",
        "higher",
        "share",
        "Share of images whose target label the recognizer gets right.",
        stacked("correct"),
        proportion,
        main=True,
    ),
    Metric(
        "balanced_accuracy",
        "recognition",
        "higher",
        "share",
        "Mean of the recalls of the target classes present.",
        by_class,
        balanced_statistic,
    ),
    Metric(
        "utility",
        "recognition",
        "higher",
        "share of raw",
        "Accuracy, scaled so that the prior is 0 and training on raw is 1; none where raw is at the prior.",
        _beside_raw,
        lambda means: utility(means[..., 0], means[..., 1], means[..., 2]),
    ),
    Metric(
        "hidden",
        "recognition",
        "higher",
        "share of the image",
        "Share of an image that its mask hides, as measured on what was released.",
        stacked("hidden"),
    ),
)
