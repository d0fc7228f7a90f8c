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
    """What the AUC of a class is a function of the means of, (…, images, 5); see ``auc_statistic``.

    To first order in the choice of images an AUC is a mean over members plus one over others (DeLong, DeLong and
    Clarke-Pearson, "Comparing the Areas under Two or More Correlated ROC Curves", Biometrics 44(3), 1988).

    Args:
        stated: probability of the class, (…, images).
        member: whether an image is of the class, (…, images) or what broadcasts to it; some are, and some are not.
    """
    member = np.broadcast_to(member, stated.shape)
    members = member.sum(axis=-1, keepdims=True)
    below = _share_below(stated, member, members)
    columns = np.zeros((*stated.shape, 5))
    columns[..., 0], columns[..., 2] = member, ~member
    columns[..., 1] = np.where(member, below, 0.0)
    columns[..., 3] = np.where(member, 0.0, 1 - below)
    columns[..., 4] = columns[..., 1].sum(axis=-1, keepdims=True) / members
    return columns


def auc_statistic(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """AUC from the means (..., 5) of ``auc_columns``; NaN for a resample without members or without others."""
    there = (means[..., 0] > 0) & (means[..., 2] > 0)
    members, others = np.where(there, means[..., 0], np.nan), np.where(there, means[..., 2], np.nan)
    return np.asarray(np.clip(means[..., 1] / members + means[..., 3] / others - means[..., 4], 0.0, 1.0))


def tpr_columns(stated: NDArray[np.float64], member: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What the true positive rate of a class is the ratio of the means of, (…, images, 2); see ``tpr_statistic``.

    The threshold is taken as given: at most ``FALSE_POSITIVES`` of the others lie above it. Arguments are as for
    ``auc_columns``.
    """
    member = np.broadcast_to(member, stated.shape)
    others = -np.sort(np.where(member, np.inf, -stated), axis=-1)  # members last
    place = (FALSE_POSITIVES * (~member).sum(axis=-1, keepdims=True)).astype(np.int64)
    threshold = np.take_along_axis(others, place, axis=-1)
    return np.stack([member, member & (stated > threshold)], axis=-1).astype(np.float64)


def tpr_statistic(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """True positive rate from the means (..., 2) of ``tpr_columns``; NaN for a resample without members."""
    there = means[..., 0] > 0
    return np.divide(means[..., 1], means[..., 0], out=np.full(there.shape, np.nan), where=there)


def _share_below(
    stated: NDArray[np.float64], member: NDArray[np.bool_], members: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Of each member the share of others below it, of each other that of members; equal ones count half."""
    count = stated.shape[-1]
    order = np.argsort(stated, axis=-1)
    ordered, own = np.take_along_axis(stated, order, axis=-1), np.take_along_axis(member, order, axis=-1)
    rises = ordered[..., 1:] > ordered[..., :-1]
    places, edge = np.arange(count), np.ones((*stated.shape[:-1], 1), dtype=bool)
    # Of equal ones, where the first stands and where the next larger one does.
    first = np.maximum.accumulate(np.where(np.concatenate([edge, rises], axis=-1), places, 0), axis=-1)
    ends = np.where(np.concatenate([rises, edge], axis=-1), places + 1, count)
    after = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
    before = np.concatenate([np.zeros_like(members), np.cumsum(own, axis=-1)], axis=-1)  # members before each place
    twice = np.take_along_axis(before, first, axis=-1) + np.take_along_axis(before, after, axis=-1)
    twice = np.where(own, first + after - twice, twice)
    found = np.empty_like(twice)
    np.put_along_axis(found, order, twice, axis=-1)
    return np.asarray(found / (2 * np.where(member, count - members, members)))
