"""Who is exposed most: how well the members of a single class are told from all others.

A mean over images hides a class that is read easily. Stated probabilities of the class rank the images: the area under
the ROC curve (AUC) says how often a member is ranked above another image, and the true positive rate at a low false
positive rate says whom an attacker can be sure of (Carlini et al., "Membership Inference Attacks From First
Principles", IEEE S&P 2022, section IV.A).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FALSE_POSITIVES = 0.01
"""Share of other images that pass for members at the threshold of the true positive rate."""

LEAST_MEMBERS = 10
"""Fewer members of a class, or fewer other images, tell nothing of it."""


def told_classes(truth: NDArray[np.int64], classes: int) -> list[int]:
    """The classes with enough members, and enough others, for a statement. Truth is (images,)."""
    counts = np.bincount(truth, minlength=classes)
    enough = (counts >= LEAST_MEMBERS) & (len(truth) - counts >= LEAST_MEMBERS)
    return [int(label) for label in np.flatnonzero(enough)]


def auc_columns(stated: NDArray[np.float64], member: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What the AUC of a class is a function of the means of, (seeds, images, 5); see ``auc_statistic``.

    To first order in the choice of images an AUC is a mean over members plus one over others (DeLong, DeLong and
    Clarke-Pearson, "Comparing the Areas under Two or More Correlated ROC Curves", Biometrics 44(3), 1988).

    Args:
        stated: probability of the class, (seeds, images).
        member: whether an image is of the class, (images,); there are some that are and some that are not.
    """
    columns = np.zeros((*stated.shape, 5))
    columns[..., 0], columns[..., 2] = member, ~member
    for row, scores in zip(columns, stated, strict=True):
        own, others = scores[member], scores[~member]
        row[member, 1] = _share_below(own, others)
        row[~member, 3] = 1 - _share_below(others, own)
        row[:, 4] = row[member, 1].mean()
    return columns


def auc_statistic(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """AUC from the means (..., 5) of ``auc_columns``; NaN for a resample without members or without others."""
    there = (means[..., 0] > 0) & (means[..., 2] > 0)
    members, others = np.where(there, means[..., 0], np.nan), np.where(there, means[..., 2], np.nan)
    return np.asarray(np.clip(means[..., 1] / members + means[..., 3] / others - means[..., 4], 0.0, 1.0))


def tpr_columns(stated: NDArray[np.float64], member: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What the true positive rate of a class is the ratio of the means of, (seeds, images, 2); see ``tpr_statistic``.

    The threshold is taken as given: at most ``FALSE_POSITIVES`` of the others lie above it. Arguments are as for
    ``auc_columns``.
    """
    others = -np.sort(-stated[:, ~member], axis=1)
    threshold = others[:, int(FALSE_POSITIVES * others.shape[1]), None]
    return np.stack([np.broadcast_to(member, stated.shape), member & (stated > threshold)], axis=-1).astype(np.float64)


def tpr_statistic(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """True positive rate from the means (..., 2) of ``tpr_columns``; NaN for a resample without members."""
    there = means[..., 0] > 0
    return np.divide(means[..., 1], means[..., 0], out=np.full(there.shape, np.nan), where=there)


def _share_below(scores: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each score, the share of others below it; equal ones count half."""
    ordered = np.sort(others)
    below, not_above = (np.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
    return np.asarray((below + not_above) / (2 * len(ordered)))
