"""Bayes' rule in a mixture of Gaussians, for releases that are linear in the pixels.

A release shows M values y = A x + b + e of a stored picture x, where e is the rounding of the release. Given component
k, a stored picture has mean μₖ and covariance Cₖ = Σₖ + ROUNDING · I, and is taken as Gaussian; so y has mean A μₖ + b
and covariance Sₖ = A Cₖ Aᵀ + R, with R = ROUNDING · I where the release was rounded again. All in float64.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from maskbench.worlds.mixture import ROUNDING, Mixture

_BLOCK = 2**23  # numbers held at a time, 64 MB


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of pictures from their release.

    Attributes:
        log_posterior: float64 (N, sensitive classes), log p(sensitive | release, task), or without the task.
        restored: float64 (N, D), the mean of the picture given the same: no restoration has a smaller mean squared
            error.
    """

    log_posterior: Tensor
    restored: Tensor


class Seen(ABC):
    """What a release shows of N pictures."""

    @abstractmethod
    def parts(self, covariances: Tensor, components: int) -> Iterator[tuple[slice, list[Conditional]]]:
        """Some pictures at a time, and what is known of them under each covariance of a stored picture, (L, D, D)."""


class Conditional(ABC):
    """Some pictures' release, under one covariance of a stored picture."""

    @abstractmethod
    def given(self, means: Tensor) -> Given:
        """What is known under K components with these means, (K, D)."""


@dataclass(frozen=True, eq=False)
class Given:
    """What is known of n pictures under K components.

    Attributes:
        log_density: float64 (n, K), log p(release | component).
        restored: probabilities of the components, (n, K) → Σ probability · E[picture | release, component], (n, D).
    """

    log_density: Tensor
    restored: Callable[[Tensor], Tensor]


def optimum(mixture: Mixture, seen: Seen, task: Tensor | None) -> Answer:
    """The best that can be known of each picture by someone who knows the world.

    Args:
        task: int64 (N,), the task label of each picture; None where it is not known.
    """
    means, log_weights = torch.from_numpy(mixture.means), torch.from_numpy(mixture.log_weights)
    sensitive, tasks = torch.from_numpy(mixture.sensitive), torch.from_numpy(mixture.task)
    stored = torch.from_numpy(mixture.covariances) + ROUNDING * torch.eye(means.shape[1], dtype=torch.float64)
    groups = [torch.from_numpy(mixture.covariance_of) == which for which in range(len(stored))]
    posteriors, pictures = [], []
    for part, conditionals in seen.parts(stored, len(means)):
        known = [conditional.given(means[mine]) for mine, conditional in zip(groups, conditionals, strict=True)]
        joint = torch.empty(part.stop - part.start, len(means), dtype=torch.float64)
        for mine, given in zip(groups, known, strict=True):
            joint[:, mine] = given.log_density + log_weights[mine]
        if task is not None:
            joint.masked_fill_(tasks[None] != task[part, None], -math.inf)
        joint = joint.log_softmax(1)
        classes = range(int(sensitive.max()) + 1)
        posteriors.append(torch.stack([joint[:, sensitive == one].logsumexp(1) for one in classes], dim=1))
        weights = joint.exp()
        restored = [given.restored(weights[:, mine]) for mine, given in zip(groups, known, strict=True)]
        pictures.append(torch.stack(restored).sum(0))
    return Answer(torch.cat(posteriors).log_softmax(1), torch.cat(pictures))


@dataclass(frozen=True, eq=False)
class Projected(Seen):
    """Values that are one linear map of every picture, rounded: values = matrix @ picture + offset + rounding.

    Attributes:
        values: float64 (N, M).
        matrix: float64 (M, D).
        offset: float64 (M,).
        noise: float64 (M,), the variance of what is added to each value: ``ROUNDING``, or 0 where a value is a pixel.
    """

    values: Tensor
    matrix: Tensor
    offset: Tensor
    noise: Tensor

    def parts(self, covariances: Tensor, components: int) -> Iterator[tuple[slice, list[Conditional]]]:
        gains = [covariance @ self.matrix.T for covariance in covariances]
        factors = [torch.linalg.cholesky(self.matrix @ gain + self.noise.diag()) for gain in gains]
        step = max(1, _BLOCK // (components + covariances.shape[1]))
        for start in range(0, len(self.values), step):
            part = slice(start, min(start + step, len(self.values)))
            shown = self.values[part] - self.offset
            yield (
                part,
                [_ProjectedConditional(shown, self.matrix, *both) for both in zip(gains, factors, strict=True)],
            )


@dataclass(frozen=True, eq=False)
class _ProjectedConditional(Conditional):
    shown: Tensor
    matrix: Tensor
    gain: Tensor
    factor: Tensor

    def given(self, means: Tensor) -> Given:
        observed, expected = (
            torch.linalg.solve_triangular(self.factor, columns, upper=False)
            for columns in (self.shown.T, self.matrix @ means.T)
        )
        exact = "donot_use_mm_for_euclid_dist"
        distance = torch.cdist(observed.T.contiguous(), expected.T.contiguous(), compute_mode=exact)
        return Given(-0.5 * distance.square() - _log_volume(self.factor), partial(self._restored, means))

    def _restored(self, means: Tensor, weights: Tensor) -> Tensor:
        mean = weights @ means
        residual = weights.sum(1, keepdim=True) * self.shown - mean @ self.matrix.T
        return mean + (self.gain @ torch.cholesky_solve(residual.T, self.factor)).T


@dataclass(frozen=True, eq=False)
class Kept(Seen):
    """Pixels that a mask keeps as they are, of a mask that knows nothing of the picture but what it keeps.

    Attributes:
        values: float64 (N, D); what stands where nothing is kept plays no part.
        kept: bool (N, D).
    """

    values: Tensor
    kept: Tensor

    def parts(self, covariances: Tensor, components: int) -> Iterator[tuple[slice, list[Conditional]]]:
        most = max(1, int(self.kept.sum(1).max()))
        # The places of the kept pixels first, in their order; masks that keep fewer than others are filled up.
        order = (~self.kept).to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
        valid = self.kept.gather(1, order)
        step = max(1, _BLOCK // (most * (most + components)))
        for start in range(0, len(self.values), step):
            part = slice(start, min(start + step, len(self.values)))
            places, real = order[part], valid[part]
            shown = self.values[part].gather(1, places)
            yield part, [_KeptConditional.under(covariance, shown, places, real) for covariance in covariances]


@dataclass(frozen=True, eq=False)
class _KeptConditional(Conditional):
    covariance: Tensor
    shown: Tensor
    places: Tensor
    real: Tensor
    factor: Tensor

    @classmethod
    def under(cls, covariance: Tensor, shown: Tensor, places: Tensor, real: Tensor) -> _KeptConditional:
        among = covariance[places[:, :, None], places[:, None, :]]
        # A row that stands for no pixel is independent of all others, and its residual is set to 0.
        both = real[:, :, None] & real[:, None, :]
        among = torch.where(both, among, torch.eye(places.shape[1], dtype=torch.float64))
        return cls(covariance, shown, places, real, torch.linalg.cholesky(among))

    def given(self, means: Tensor) -> Given:
        residual = (self.shown[:, :, None] - means.T[self.places]) * self.real[:, :, None]
        whitened = torch.linalg.solve_triangular(self.factor, residual, upper=False)
        density = -0.5 * whitened.square().sum(1) - _log_volume(self.factor)[:, None]
        return Given(density, partial(self._restored, means))

    def _restored(self, means: Tensor, weights: Tensor) -> Tensor:
        mean = weights @ means
        residual = (weights.sum(1, keepdim=True) * self.shown - mean.gather(1, self.places)) * self.real
        solved = torch.cholesky_solve(residual[:, :, None], self.factor)[:, :, 0] * self.real
        return mean + torch.zeros_like(mean).scatter_(1, self.places, solved) @ self.covariance


def _log_volume(factor: Tensor) -> Tensor:
    """Half the logarithm of the determinant, and what normalises M values."""
    half = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return half + 0.5 * factor.shape[-1] * math.log(2 * math.pi)
