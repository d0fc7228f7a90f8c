"""Making what attacks state into what to believe: the prior, moved as far as their answers deserve.

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

from maskbench.checks import check_logits

LEAST_SAMPLES = 20
"""Fewer validation images than this tell neither a slope nor biases; answers are then taken as they are stated."""

PER_BIAS = 5
"""Validation images for each class, on average, below which no biases are fitted: they would be noise."""

STEEPEST = 20.0
"""A slope beyond this says that the validation labels were all right."""

SPREAD = 0.1
"""Standard deviation of the slopes of several attacks around the share that each has in what all of them tell alone."""

FOLDS = 5
"""Of attacker-validation, when attacks are compared on it."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """How far to move from the prior for what one attack, or several together, state.

    Attributes:
        slopes: float64 (attacks,): 0 for an attack whose answers say nothing (beyond those of the others), below 1 for
            an overconfident one.
        bias: float64 (classes,), for attacks that favour classes, as those do that were trained on other images; all 0
            where there are too few validation images to tell.
    """

    slopes: Tensor
    bias: Tensor

    def posterior(self, evidence: Tensor, log_prior: Tensor) -> Tensor:
        """Return log q(s) ∝ log P(s) + Σ slopeₐ · evidenceₐ + bias, normalised, (N, classes).

        Args:
            evidence: (attacks, N, classes), of each attack as ``evidence`` makes it.
            log_prior: what is known without the image, (N, classes), normalised.

        Raises:
            ValueError: shapes do not fit, or a value is not finite.
        """
        _check(evidence, log_prior)
        moved = torch.einsum("a,anc->nc", self.slopes, evidence.double())
        return (log_prior.double() + moved + self.bias).log_softmax(1)

    def matched(self, evidence: Tensor, log_prior: Tensor) -> Calibration:
        """The same with biases for another release: answers are as often each class as the prior says, in the mean.

        No label is needed for that, so an attacker does it for the owner's release as well. It is what fitting biases
        does to the images that they are fitted to. What all pictures of one release have in common, such as a key or
        a fit, would else be learned as a bias of attacker-validation, and mislead on any other release.

        Args:
            evidence, log_prior: as for ``posterior``, of the images of the other release.
        """
        _check(evidence, log_prior)
        if not bool(self.bias.any()) or not _biased(log_prior):
            return self  # there were too few images to fit any, or are too few to match them to
        moved = torch.einsum("a,anc->nc", self.slopes, evidence.double())
        scores = (log_prior.double() + moved).cpu().numpy()
        wanted = log_prior.double().exp().mean(0).cpu().numpy()

        def loss(bias: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            shifted = scores + bias
            scale = logsumexp(shifted, axis=1, keepdims=True)
            value = scale.mean() - bias @ wanted + (bias @ bias) / (2 * len(scores))
            return float(value), np.exp(shifted - scale).mean(0) - wanted + bias / len(scores)

        found = minimize(loss, self.bias.numpy(), jac=True, method="L-BFGS-B").x
        return Calibration(self.slopes, torch.from_numpy(found.copy()))


def evidence(log_probabilities: Tensor, log_reference: Tensor) -> Tensor:
    """Return what an image adds, log p(s|x) − log r(s), (N, classes), float64.

    Args:
        log_probabilities: what an attack states of each image, normalised.
        log_reference: what it would state without the image; rows as above.

    Raises:
        ValueError: shapes differ, or a value is not finite.
    """
    _check_rows("log_probabilities", log_probabilities, log_probabilities.shape)
    _check_rows("log_reference", log_reference, log_probabilities.shape)
    return log_probabilities.double() - log_reference.double()


def calibrate(evidence: Tensor, log_prior: Tensor, labels: Tensor) -> Calibration:
    """Fit slopes and biases to labels: least mean negative log-likelihood, with a standard normal prior on each bias.

    For one attack this is vector scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section
    4.2) with one slope, on the evidence beyond the prior: an attack that learned nothing falls back to guessing from
    the prior, and one whose classes are shifted is not taken for one that knows nothing. For several it is stacking
    (Wolpert 1992), with slopes that are not negative (Breiman, "Stacked Regressions", 1996). They are drawn towards a
    mean of the attacks, each calibrated alone and weighted by what it then tells (LeBlanc and Tibshirani, "Combining
    Estimates in Regression and Classification", 1996): free slopes of a dozen attacks that tell much the same follow
    the noise of a few hundred images. Convex and deterministic; one attack is never worse than as stated on the data
    it was fitted on. Forty biases on 24 images are noise: there are none below ``PER_BIAS`` images a class.

    Args:
        evidence, log_prior: as for ``Calibration.posterior``.

    Raises:
        ValueError: as ``posterior`` does, or for bad labels.
    """
    check_logits(log_prior, labels, "log_prior")
    _check(evidence, log_prior)
    return (
        _fitted(evidence, log_prior, labels, _biased(log_prior))
        if len(labels) >= LEAST_SAMPLES
        else _as_stated(evidence)
    )


def _as_stated(evidence: Tensor) -> Calibration:
    attacks, _, classes = evidence.shape
    slopes = torch.full((attacks,), 1 / attacks, dtype=torch.float64)
    return Calibration(slopes, torch.zeros(classes, dtype=torch.float64))


def _biased(log_prior: Tensor) -> bool:
    count, classes = log_prior.shape
    return count >= PER_BIAS * classes


def _fitted(evidence: Tensor, log_prior: Tensor, labels: Tensor, biased: bool) -> Calibration:
    if len(evidence) == 1:
        return _least_loss(evidence, log_prior, labels, biased, None)
    alone = [_least_loss(each[None], log_prior, labels, biased, None) for each in evidence]
    told = [
        _told(calibration.posterior(each[None], log_prior), log_prior, labels)
        for calibration, each in zip(alone, evidence, strict=True)
    ]
    total = sum(told)
    shares = np.array([each / total if total > 0 else 1 / len(told) for each in told])
    scales = torch.cat([calibration.slopes for calibration in alone])
    together = _least_loss(torch.einsum("a,anc->anc", scales, evidence.double()), log_prior, labels, biased, shares)
    return Calibration(together.slopes * scales, together.bias)


def _told(posterior: Tensor, log_prior: Tensor, labels: Tensor) -> float:
    """Mean information on the labels in nats; 0 where it is less."""
    gained = (posterior - log_prior.double()).gather(1, labels.long().cpu()[:, None])
    return max(0.0, float(gained.mean()))


def _least_loss(
    evidence: Tensor, log_prior: Tensor, labels: Tensor, biased: bool, centre: NDArray[np.float64] | None
) -> Calibration:
    """Slopes and biases of least loss; around a centre, slopes have a normal prior of deviation ``SPREAD``."""
    stated = evidence.double().cpu().numpy()
    attacks, count, classes = stated.shape
    prior = log_prior.double().cpu().numpy()
    rows, chosen = np.arange(count), labels.cpu().numpy()
    start = np.full(attacks, 1 / attacks) if centre is None else centre
    pull = 0.0 if centre is None else 1 / (SPREAD**2 * count)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slopes, bias = parameters[:attacks], parameters[attacks:]
        scores = prior + np.tensordot(slopes, stated, axes=1) + bias
        scores = scores - logsumexp(scores, axis=1, keepdims=True)
        away = slopes - start
        value = -scores[rows, chosen].mean() + (bias @ bias) / (2 * count) + pull * (away @ away) / 2
        errors = np.exp(scores)
        errors[rows, chosen] -= 1
        errors /= count
        of_slopes = np.tensordot(stated, errors, axes=2) + pull * away
        return value, np.concatenate([of_slopes, errors.sum(axis=0) + bias / count])

    free = (None, None) if biased else (0.0, 0.0)
    bounds = [(0.0, STEEPEST)] * attacks + [free] * classes
    found = minimize(loss, np.concatenate([start, np.zeros(classes)]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(torch.from_numpy(found[:attacks].copy()), torch.from_numpy(found[attacks:].copy()))


def held_out_posterior(evidence: Tensor, log_prior: Tensor, labels: Tensor) -> Tensor:
    """Return the posterior of each image by a calibration that was fitted to the other ``FOLDS`` − 1 folds alone.

    (N, classes). By it attacks are compared: on the images that they were fitted to, several attacks always look
    better than one. Images are dealt out to folds in turn. Arguments and errors as for ``calibrate``.
    """
    check_logits(log_prior, labels, "log_prior")
    _check(evidence, log_prior)
    if len(labels) < LEAST_SAMPLES:
        return _as_stated(evidence).posterior(evidence, log_prior)
    fold = torch.arange(len(log_prior)) % FOLDS
    found = torch.empty_like(log_prior, dtype=torch.float64)
    for out in fold.unique():
        held, rest = fold == out, fold != out
        fitted = _fitted(evidence[:, rest], log_prior[rest], labels[rest], _biased(log_prior))
        found[held] = fitted.posterior(evidence[:, held], log_prior[held])
    return found


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


def _check(evidence: Tensor, log_prior: Tensor) -> None:
    _check_rows("log_prior", log_prior, log_prior.shape)
    if evidence.ndim != 3 or evidence.shape[1:] != log_prior.shape or len(evidence) == 0:
        raise ValueError(
            f"evidence: expected (attacks, {', '.join(map(str, log_prior.shape))}), got {tuple(evidence.shape)}."
        )
    _check_finite("evidence", evidence)


def _check_rows(name: str, values: Tensor, shape: torch.Size) -> None:
    if values.ndim != 2 or values.shape != shape:
        raise ValueError(f"{name}: expected (N, classes) like the others, got {tuple(values.shape)}.")
    _check_finite(name, values)


def _check_finite(name: str, values: Tensor) -> None:
    if not bool(values.isfinite().all()):
        raise ValueError(f"{name}: expected finite values, got NaN or infinity.")
