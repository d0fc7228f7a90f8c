"""What pictures of the Gaussian worlds are made of: smooth patterns, smooth random fields, and the labels' prior."""

from __future__ import annotations

import numpy as np

from maskbench.worlds.distribution import Array

CLASSES, TASKS = 5, 2
"""Sensitive and task classes."""

FIELD, LENGTH = 0.056, 2.0
"""Standard deviation of the smooth field in grey values, and its correlation length in pixels."""

NOISE = 0.024
"""Standard deviation of the white noise, in grey values: six levels of 8 bits, so that rounding is noise as well."""

TEMPLATE = 0.024
"""Root mean square of a task's template, in grey values."""

_TILT = 0.2  # of the sensitive classes towards one task or the other
_TEMPLATE_LENGTH = 3.0  # px
_MOST = 2.0  # root mean squares that a pattern reaches anywhere
_JITTER = 1e-6  # of the variance: a smooth covariance is singular to machine precision


def prior() -> Array:
    """P(sensitive, task): tasks are even, and each goes with some sensitive classes more often, by up to a fifth."""
    tilt = np.linspace(_TILT, -_TILT, CLASSES)
    return np.stack([1 + tilt, 1 - tilt], axis=1) / (CLASSES * TASKS)


def squared_exponential(side: int, length: float, stretch: Array | None = None) -> Array:
    """The correlations of a smooth field on a square: exp(−d²/2·length²) of two pixels at distance d.

    Args:
        stretch: (2, 2), applied to the difference of two places: the field then differs by direction.

    Returns:
        (side², side²), positive semi-definite; 1 on the diagonal.
    """
    places = np.indices((side, side), dtype=np.float64).reshape(2, -1).T
    difference = places[:, None] - places[None]
    if stretch is not None:
        difference = difference @ stretch
    return np.exp(-np.square(difference).sum(-1) / (2 * length**2))


def covariance(side: int, stretch: Array | None = None) -> Array:
    """Of the smooth field and the white noise together: (side², side²)."""
    return FIELD**2 * squared_exponential(side, LENGTH, stretch) + NOISE**2 * np.eye(side * side)


def templates(side: int, generator: np.random.Generator) -> Array:
    """What each task adds to a picture: (TASKS, side²)."""
    return TEMPLATE * patterns(TASKS, side, _TEMPLATE_LENGTH, generator)


def patterns(count: int, side: int, length: float, generator: np.random.Generator) -> Array:
    """Draw smooth patterns of mean 0 and root mean square about 1, at most 2 anywhere: (count, side²)."""
    correlations = squared_exponential(side, length) + _JITTER * np.eye(side * side)
    return _bounded(generator.standard_normal((count, side * side)) @ np.linalg.cholesky(correlations).T)


def periodic_patterns(count: int, side: int, length: float, generator: np.random.Generator) -> Array:
    """The same on a torus, so that a pattern can be shifted round: (count, side²)."""
    square = np.square(np.fft.fftfreq(side))
    weights = np.exp(-2 * (np.pi * length) ** 2 * (square[:, None] + square[None]))
    white = np.fft.fft2(generator.standard_normal((count, side, side)))
    return _bounded(np.fft.ifft2(white * weights).real.reshape(count, -1))


def _bounded(values: Array) -> Array:
    centred = values - values.mean(axis=1, keepdims=True)
    return np.clip(centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True)), -_MOST, _MOST)
