"""Tests of many differences under one bound on the chance of any false alarm.

Each difference has two sources of noise: training, by the variance between seeds, and images. Student's t with
Satterthwaite's degrees of freedom ("An approximate distribution of estimates of variance components", Biometrics
Bulletin 2(6), 1946) tests their sum, one-sided. Holm's procedure with weights (Benjamini and Hochberg, "Multiple
hypotheses testing with weights", Scandinavian Journal of Statistics 24(3), 1997) bounds the family, however the rows
depend on each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from maskbench.gate.variation import Variances

FALSE_ALARMS = 0.025
"""Bound on the chance that a comparison of two runs of the same code says "regressed" anywhere."""

CONFIDENCE = 0.95
"""Of the intervals that are shown; within the tolerance on both sides, a row is unchanged."""


_ROUNDING = 1e-12


@dataclass(frozen=True)
class Errors:
    """Standard error of each difference, and its degrees of freedom; NaN where training noise is not known."""

    values: NDArray[np.float64]
    degrees: NDArray[np.float64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where there is something to test."""
        return np.isfinite(self.values)

    def quantile(self, tail: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Of Student's t, above which lies a share ``tail``; NaN where it is not known."""
        return np.where(self.known, student.isf(tail, np.where(self.known, self.degrees, 1.0)), np.nan)


def errors(
    seeds: Variances, shares: NDArray[np.float64], images: NDArray[np.float64], count: NDArray[np.float64]
) -> Errors:
    """Standard errors of differences.

    Args:
        seeds: variance between seeds.
        shares: 1/n + 1/n', of the seeds of both runs.
        images: variance that comes from the choice of images.
        count: of images.
    """
    training = seeds.values * shares
    total = training + images
    parts = training**2 / np.maximum(seeds.degrees, 1e-9) + images**2 / np.maximum(count - 1, 1)
    degrees = np.divide(total**2, parts, out=np.full(total.shape, np.inf), where=parts > 0)
    return Errors(np.sqrt(total), np.where(np.isfinite(total), np.maximum(degrees, 1.0), np.nan))


def tail(losses: NDArray[np.float64], found: Errors) -> NDArray[np.float64]:
    """Chance of a loss of this size or above where nothing has changed; 1 where noise is not known."""
    # Means of unlike many seeds differ by rounding even where every seed has the same value.
    sure = np.where(losses > _ROUNDING, np.inf, 0.0)
    ratio = np.divide(losses, found.values, out=sure, where=found.values > 0)
    chances = student.sf(ratio, np.where(found.known, found.degrees, 1.0))
    return np.where(found.known, np.where(np.isposinf(ratio), 0.0, chances), 1.0)


def holm(chances: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances adjusted for the family: below a bound for a row means that the row is rejected at that bound."""
    if not len(chances):
        return chances
    order = np.argsort(chances / weights, kind="stable")
    left = np.cumsum(weights[order][::-1])[::-1]
    steps = np.maximum.accumulate(np.minimum(1.0, left * chances[order] / weights[order]))
    adjusted = np.empty_like(steps)
    adjusted[order] = steps
    return adjusted
