"""What an attacker learns of the sensitive label s beyond what the target label t already tells.

The attacker knows t of a released image, so guessing starts from P(s|t), counted on the attacker's own data.
Logits and log-probabilities are (N, sensitive_classes), natural logarithms.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from maskbench.checks import check_labels, check_logits


def label_prior(
    sensitive: Tensor,
    target: Tensor | None,
    sensitive_classes: int,
    target_classes: int,
    smoothing: float | None = None,
) -> Tensor:
    """Return log P(s|t), (target_classes, sensitive_classes), float64, from labels of the attacker's data.

    ``smoothing`` is added to each count, so that an unseen pair is unlikely, not impossible. By default it is 1 over
    the larger number of classes (Perks 1947): with few images a class, adding one to each count would drown them, and
    what t tells already would pass for what the image tells. ``target=None`` gives the marginal log P(s),
    (1, sensitive_classes). Row t of the result is the best guess without any image. Raises ValueError, naming the
    argument, for bad labels or smoothing ≤ 0.
    """
    counts = _counts(sensitive, target, sensitive_classes, target_classes, smoothing)
    return (counts / counts.sum(1, keepdim=True)).log()


def _counts(
    sensitive: Tensor, target: Tensor | None, sensitive_classes: int, target_classes: int, smoothing: float | None
) -> Tensor:
    smoothing = 1 / max(sensitive_classes, target_classes) if smoothing is None else smoothing
    if not (smoothing > 0 and math.isfinite(smoothing)):
        raise ValueError(f"smoothing: expected a finite number above 0, got {smoothing}.")
    check_labels(sensitive, sensitive_classes, "sensitive")
    if target is None:
        target, target_classes = torch.zeros_like(sensitive), 1
    check_labels(target, target_classes, "target")
    if len(target) != len(sensitive):
        raise ValueError(f"target: {len(target)} labels for {len(sensitive)} sensitive ones.")
    pairs = target.long() * sensitive_classes + sensitive.long()
    counts = torch.bincount(pairs, minlength=target_classes * sensitive_classes)
    return counts.view(target_classes, sensitive_classes).double() + smoothing


def of_pairs(logits: Tensor, target: Tensor | None, target_classes: int) -> Tensor:
    """Logits of pairs, s · target_classes + t, (N, pairs) → log p(s|x,t) or, for a target of None, log p(s|x).

    Normalised, (N, sensitive_classes), float64. Nothing is assumed about image and t: it finds what an
    image tells of s only to who knows t. Raises ValueError where the pairs are not whole rows.
    """
    if logits.ndim != 2 or logits.shape[1] % target_classes:
        raise ValueError(f"logits: expected (N, sensitive_classes × {target_classes}), got {tuple(logits.shape)}.")
    pairs = logits.double().log_softmax(1).unflatten(1, (-1, target_classes))
    if target is None:
        return pairs.logsumexp(2)
    check_labels(target, target_classes, "target")
    return pairs[torch.arange(len(pairs)), :, target].log_softmax(1)


def information(log_probabilities: Tensor, log_prior_rows: Tensor, sensitive: Tensor) -> Tensor:
    """Return log2 q(s|x,t) − log2 P(s|t) of each image's true s: N, float64, the column of ``bits``.

    ``log_probabilities`` is normalised, as from ``Calibration.posterior``; ``log_prior_rows`` holds what is
    believed of each image without it. Raises ValueError, naming the argument, for other shapes or
    values, or for probabilities that do not add up to 1.
    """
    check_logits(log_probabilities, sensitive, "log_probabilities", "sensitive")
    check_logits(log_prior_rows, sensitive, "log_prior_rows", "sensitive")
    if log_probabilities.shape != log_prior_rows.shape:
        raise ValueError(
            f"log_prior_rows: shape {tuple(log_prior_rows.shape)} differs from log_probabilities' "
            f"{tuple(log_probabilities.shape)}."
        )
    for name, rows in (("log_probabilities", log_probabilities), ("log_prior_rows", log_prior_rows)):
        # Unnormalised logits would pass for knowledge, without bound.
        if not bool((rows.double().logsumexp(1).abs() < 1e-3).all()):
            raise ValueError(f"{name}: expected log-probabilities, whose exponentials add up to 1 in each row.")
    chosen = sensitive.long()[:, None]
    return (log_probabilities.double() - log_prior_rows.double()).gather(1, chosen).squeeze(1) / math.log(2)


def bits(mean_information: ArrayLike) -> NDArray[np.float64]:
    """Return what leaks, in bits an image, from the mean of ``information``: the mean, floored at 0.

    I(S;X|T) ≥ H(S|T) − CE(q), whatever the attacker's q (Barber and Agakov, "The IM algorithm", NIPS 2003),
    so this bounds from below what leaks. H(S|T) is itself taken as a cross-entropy with the attacker's
    P(s|t): the bound holds as far as that prior holds on the images scored, and is too high by their
    divergence where it does not.
    """
    return np.maximum(np.asarray(mean_information, dtype=np.float64), 0.0)


def advantage(accuracy: ArrayLike, prior: ArrayLike) -> NDArray[np.float64]:
    """Return (accuracy − prior)/(1 − prior): 0 for guessing from the prior, 1 for always right.

    Negative for worse than the prior; NaN where the prior is 1 and nothing is left to learn. ``prior`` is the
    accuracy of guessing argmax P(s|t) on the same images. Elementwise; broadcast. Raises ValueError for
    arguments outside [0, 1].
    """
    accuracy, prior = _share("accuracy", accuracy), _share("prior", prior)
    return _scaled(accuracy - prior, 1.0 - prior)


def utility(accuracy: ArrayLike, prior: ArrayLike, raw_accuracy: ArrayLike) -> NDArray[np.float64]:
    """Return (accuracy − prior)/(raw_accuracy − prior): 0 for the prior, 1 for what training on raw gives.

    May leave [0, 1]; NaN where raw images do not beat the prior, since then there is no utility to keep.
    Elementwise; broadcast. Raises ValueError for arguments outside [0, 1].
    """
    accuracy, prior = _share("accuracy", accuracy), _share("prior", prior)
    return _scaled(accuracy - prior, _share("raw_accuracy", raw_accuracy) - prior)


def _share(name: str, values: ArrayLike) -> NDArray[np.float64]:
    shares = np.asarray(values, dtype=np.float64)
    rounding = 1e-9  # a weighted mean of ones may come out just above 1
    if not bool(((shares >= -rounding) & (shares <= 1 + rounding)).all()):
        raise ValueError(f"{name}: expected shares in [0, 1], got {shares}.")
    return shares


def _scaled(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    part, whole = np.broadcast_arrays(part, whole)
    # Column means carry rounding of about 1e-16, which must not become a denominator.
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 1e-12)[()]
