"""Making what an attacker states into what it should believe: its prior, moved as far as its answers deserve.

All of it is fitted on attacker-validation. Log-probabilities are (N, classes), natural logarithms, float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp
from torch import Tensor

from bench.metrics.checks import check_logits

LEAST_SAMPLES = 20
"""Fewer validation images than this tell neither a slope nor biases; answers are then taken as they are stated."""

STEEPEST = 20.0
"""A slope beyond this says that the validation labels were all right."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """How far to move from the prior for what an attack states.

    Attributes:
        slope: 0 for an attack whose answers say nothing (the prior stays as it is), below 1 for an overconfident one.
        bias: float64 (classes,), for an attack that favours classes, as one does that was trained on other images.
    """

    slope: float
    bias: Tensor

    def posterior(self, log_probabilities: Tensor, log_reference: Tensor, log_prior: Tensor) -> Tensor:
        """Return log q(s) ∝ log P(s) + slope · (log p(s|x) − log r(s)) + bias, normalised.

        Args:
            log_probabilities: what the attack states of each image, normalised.
            log_reference: what it would state without the image; rows as above.
            log_prior: what is known without the image; rows as above.

        Raises:
            ValueError: shapes differ, or a value is not finite.
        """
        evidence = _evidence(log_probabilities, log_reference, log_prior)
        return (log_prior.double() + self.slope * evidence + self.bias).log_softmax(1)


def calibrate(log_probabilities: Tensor, log_reference: Tensor, log_prior: Tensor, labels: Tensor) -> Calibration:
    """Fit slope and biases to labels: least mean negative log-likelihood, with a standard normal prior on each bias.

    Vector scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2) with one slope,
    on the evidence beyond the prior: an attack that learned nothing falls back to guessing from the prior, and
    one whose classes are shifted is not taken for one that knows nothing. Convex and deterministic; never worse than
    the answers as stated on the data it was fitted on. Raises ValueError as ``posterior`` does, or for bad labels.
    """
    check_logits(log_probabilities, labels)
    evidence = _evidence(log_probabilities, log_reference, log_prior).cpu().numpy()
    count, classes = evidence.shape
    if count < LEAST_SAMPLES:
        return Calibration(1.0, torch.zeros(classes, dtype=torch.float64))
    prior = log_prior.double().cpu().numpy()
    rows, chosen = np.arange(count), labels.cpu().numpy()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, bias = parameters[0], parameters[1:]
        scores = prior + slope * evidence + bias
        scores = scores - logsumexp(scores, axis=1, keepdims=True)
        value = -scores[rows, chosen].mean() + (bias @ bias) / (2 * count)
        errors = np.exp(scores)
        errors[rows, chosen] -= 1
        errors /= count
        return value, np.concatenate([[(errors * evidence).sum()], errors.sum(axis=0) + bias / count])

    start = np.concatenate([[1.0], np.zeros(classes)])
    bounds = [(0.0, STEEPEST), *[(None, None)] * classes]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(float(found[0]), torch.from_numpy(found[1:].copy()))


def mixture_weight(log_conditional: Tensor, log_marginal: Tensor, labels: Tensor) -> float:
    """Return the weight w in [0, 1] with which w · P(s|t) + (1 − w) · P(s) makes the labels most likely.

    Counts of many pairs from few images are noise: a prior that trusts them all would make any attack that
    learned better label statistics look as if it had read them off the images. 1 for fewer than ``LEAST_SAMPLES``.
    """
    check_logits(log_conditional, labels)
    if len(labels) < LEAST_SAMPLES:
        return 1.0
    chosen = labels.long().cpu()[:, None]
    conditional, marginal = (
        rows.double().cpu().gather(1, chosen)[:, 0].exp().numpy() for rows in (log_conditional, log_marginal)
    )

    def loss(weight: float) -> float:
        return -float(np.log(weight * conditional + (1 - weight) * marginal).mean())

    found = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-6})
    return min((0.0, 1.0, float(found.x)), key=loss)


def mixed(log_conditional: Tensor, log_marginal: Tensor, weight: float) -> Tensor:
    """Return log(w · P(s|t) + (1 − w) · P(s)), row by row."""
    return (weight * log_conditional.double().exp() + (1 - weight) * log_marginal.double().exp()).log()


def _evidence(log_probabilities: Tensor, log_reference: Tensor, log_prior: Tensor) -> Tensor:
    parts = {"log_probabilities": log_probabilities, "log_reference": log_reference, "log_prior": log_prior}
    for name, values in parts.items():
        if values.ndim != 2 or values.shape != log_probabilities.shape:
            raise ValueError(f"{name}: expected (N, classes) like the others, got {tuple(values.shape)}.")
        if not bool(values.isfinite().all()):
            raise ValueError(f"{name}: expected finite values, got NaN or infinity.")
    return log_probabilities.double() - log_reference.double()
