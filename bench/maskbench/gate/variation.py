"""How much values differ between seeds of the same code: estimated for each cell, steadied by the others.

A cell has few seeds, so its own estimate is poor; other cells of the same metric tell how variances are spread. The
two are weighed as in Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
microarray experiments", Statistical Applications in Genetics and Molecular Biology 3(1), 2004 (limma): cells that
differ a lot keep their own estimate, cells that are alike share one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

_MOST_PRIOR = 4.0
"""Cells share their seeds, so their variances agree more than those of independent cells would: a bound on trust."""


@dataclass(frozen=True)
class Variances:
    """Variance between seeds of each row, and its degrees of freedom; NaN and 0 where nothing tells it."""

    values: NDArray[np.float64]
    degrees: NDArray[np.float64]


def steadied(variances: NDArray[np.float64], degrees: NDArray[np.float64]) -> Variances:
    """Weigh each row's own variance with what the rows have in common.

    Args:
        variances: of the rows of one metric; 0 where every seed of both runs gave the same value, which is kept: such a
            row does not depend on the seed.
        degrees: of each, 0 where there is one seed in each run.
    """
    usable = (degrees > 0) & (variances > 0)
    values, freedom = variances.copy(), degrees.astype(np.float64)
    values[degrees == 0] = np.nan
    if usable.sum() < 2:
        return Variances(values, freedom)
    centre, prior = _prior(variances[usable], freedom[usable])
    own = freedom[usable]
    values[usable] = (prior * centre + own * variances[usable]) / (prior + own)
    freedom[usable] = np.minimum(own + prior, own.sum())
    return Variances(values, freedom)


def _prior(variances: NDArray[np.float64], degrees: NDArray[np.float64]) -> tuple[float, float]:
    """Centre of the rows' true variances, and how many degrees of freedom knowing it is worth."""
    logs = np.log(variances) - digamma(degrees / 2) + np.log(degrees / 2)
    spread = float(logs.var(ddof=1) - polygamma(1, degrees / 2).mean())
    prior = min(_MOST_PRIOR, 2 * _inverse_trigamma(spread)) if spread > 0 else _MOST_PRIOR
    return float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2))), prior


def _inverse_trigamma(value: float) -> float:
    """Newton's method on the reciprocal, as limma does; convex, so it converges from this start."""
    found = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, found))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, found))
        found += step
        if -step / found < 1e-8:
            break
    return found
