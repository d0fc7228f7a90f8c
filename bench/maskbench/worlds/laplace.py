"""Bayes' rule where a method adds Laplace noise to linear values of the picture and clips the sum, as DP-Pix does.

Given a component, the M values v = A x are Gaussian, and each is seen through Laplace noise of its own. The integral
over all v has no closed form, as neighbouring values are correlated. Expectation propagation (Minka 2001) makes it one
integral for each value: every likelihood is replaced by the Gaussian that gives the same mean, variance and mass as the
likelihood itself in the context of all others. The integrals of a single value have closed forms. Likelihoods are
log-concave, so the iteration is well-behaved; tests compare it with importance sampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from maskbench.worlds.gaussian import Conditional, Given, Seen
from maskbench.worlds.mixture import LEVELS

_BLOCK = 2**22  # numbers held at a time, 32 MB
_MOST_ROUNDS = 60
_STILL = 1e-7  # change of a log mass after which the iteration ends
_DAMPING = 0.8  # of each update that is made
_EDGE = 0.5 / LEVELS  # values beyond it are clipped, or rounded to the end of the range


@dataclass(frozen=True, eq=False)
class Noisy(Seen):
    """Values = clipped(matrix @ picture + Laplace noise), in [0, 1], rounded to 8 bits.

    Attributes:
        values: float64 (N, M).
        matrix: float64 (M, D).
        scale: float64 (M,), of the noise, in grey values.
    """

    values: Tensor
    matrix: Tensor
    scale: Tensor

    def parts(self, covariances: Tensor, components: int) -> Iterator[tuple[slice, list[Conditional]]]:
        of_values = [self.matrix @ covariance @ self.matrix.T for covariance in covariances]
        gains = [
            torch.linalg.solve(spread, self.matrix @ covariance).T
            for spread, covariance in zip(of_values, covariances, strict=True)
        ]
        step = max(1, _BLOCK // (components * len(self.matrix) ** 2))
        for start in range(0, len(self.values), step):
            part = slice(start, min(start + step, len(self.values)))
            yield (
                part,
                [
                    _NoisyConditional(self.values[part], self.matrix, self.scale, spread, gain)
                    for spread, gain in zip(of_values, gains, strict=True)
                ],
            )


@dataclass(frozen=True, eq=False)
class _NoisyConditional(Conditional):
    values: Tensor
    matrix: Tensor
    scale: Tensor
    spread: Tensor
    gain: Tensor

    def given(self, means: Tensor) -> Given:
        expected = means @ self.matrix.T
        shape = len(self.values), len(means), len(self.scale)
        shown = self.values[:, None, :].expand(shape).reshape(-1, shape[2])
        around = expected[None].expand(shape).reshape(-1, shape[2])
        log_mass, mean = propagated(shown, around, self.spread, self.scale)
        return Given(log_mass.view(shape[:2]), partial(self._restored, means, mean.view(shape)))

    def _restored(self, means: Tensor, moved: Tensor, weights: Tensor) -> Tensor:
        return weights @ means + torch.einsum("nk,nkm->nm", weights, moved) @ self.gain.T


def propagated(shown: Tensor, expected: Tensor, spread: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Expectation propagation for B problems of M values each, with one covariance.

    Args:
        shown: (B, M), what the release shows: the values with noise, clipped to [0, 1].
        expected: (B, M), the mean of the values before noise.
        spread: (M, M), their covariance.
        scale: (M,), of the Laplace noise.

    Returns:
        log p(shown) (B,), and the posterior mean of value − expected (B, M).
    """
    precision = torch.zeros_like(shown)
    shift = torch.zeros_like(shown)
    previous = torch.full((len(shown),), math.inf, dtype=torch.float64)
    for _ in range(_MOST_ROUNDS):
        posterior, mean, log_volume = _posterior(precision, shift, spread)
        variance = posterior.diagonal(dim1=1, dim2=2)
        outer_precision = (1 / variance - precision).clamp_min(1e-12)
        outer_shift = mean / variance - shift
        outer = outer_shift / outer_precision
        tilted = _tilted(shown - expected, outer, 1 / outer_precision, scale, _side(shown))
        both = outer_precision + precision
        own = 0.5 * (outer_precision / both).log()
        own = own + 0.5 * ((outer_shift + shift).square() / both - outer_shift.square() / outer_precision)
        log_mass = (tilted.log_mass - own).sum(1) + log_volume + 0.5 * (shift * mean).sum(1)
        if bool(((log_mass - previous).abs() < _STILL).all()):
            break
        previous = log_mass
        narrowed = (1 - tilted.curvature / outer_precision).clamp_min(1e-6)
        precision = precision + _DAMPING * (tilted.curvature / narrowed - precision)
        shift = shift + _DAMPING * ((tilted.slope + outer * tilted.curvature) / narrowed - shift)
    return log_mass, mean


def _posterior(precision: Tensor, shift: Tensor, spread: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The Gaussian N(0, spread) · exp(shift · v − precision · v²/2): covariance, mean, and log |I + …|^(−1/2)."""
    root = precision.sqrt()
    inner = root[:, :, None] * spread * root[:, None, :] + torch.eye(len(spread), dtype=torch.float64)
    factor = torch.linalg.cholesky(inner)
    half = torch.linalg.solve_triangular(factor, root[:, :, None] * spread, upper=False)
    posterior = spread - half.transpose(1, 2) @ half
    mean = (posterior @ shift[:, :, None])[:, :, 0]
    return posterior, mean, -factor.diagonal(dim1=1, dim2=2).log().sum(1)


class _Tilted(NamedTuple):
    """log Z of one value in the context of the others, its derivative by the mean, and minus the second one."""

    log_mass: Tensor
    slope: Tensor
    curvature: Tensor


def _side(shown: Tensor) -> Tensor:
    """−1 where a value was clipped to 0, 1 where to 1, else 0."""
    return (shown > 1 - _EDGE).to(torch.int64) - (shown < _EDGE).to(torch.int64)


def _tilted(shown: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, side: Tensor) -> _Tilted:
    """∫ N(v; mean, variance) · p(shown | v) dv, in closed form.

    The likelihood is the Laplace density where the value is inside, and its distribution function where it was clipped:
    everything beyond half a level from the end. ``shown`` and v are relative to the same origin.
    """
    spread = variance.sqrt()
    # The end that a clipped value lies beyond: half a level inside of what is shown.
    distance = shown - side * _EDGE - mean
    below = variance / (2 * scale**2) - distance / scale + torch.special.log_ndtr(distance / spread - spread / scale)
    above = variance / (2 * scale**2) + distance / scale + torch.special.log_ndtr(-distance / spread - spread / scale)
    both = torch.logaddexp(below, above)
    density = -0.5 * (distance / spread).square() - 0.5 * math.log(2 * math.pi) - spread.log()
    inside = _Tilted(
        both - (2 * scale).log(),
        (below - both).exp() / scale - (above - both).exp() / scale,
        torch.zeros_like(both),
    )
    second = 1 / scale**2 - 2 * (density - both).exp() / scale
    inside = inside._replace(curvature=inside.slope.square() - second)
    sign = -side.to(torch.float64)  # 1 for what was clipped to 0
    tail = torch.special.ndtr(sign * distance / spread)
    mass = (tail - sign * 0.5 * (below.exp() - above.exp())).clamp_min(1e-300)
    first = -sign * 0.5 * both.exp() / scale / mass
    curve = -sign * 0.5 * (below.exp() - above.exp()) / scale**2 / mass
    return _Tilted(
        torch.where(side == 0, inside.log_mass, mass.log()),
        torch.where(side == 0, inside.slope, first),
        torch.where(side == 0, inside.curvature, first.square() - curve).clamp_min(0),
    )
