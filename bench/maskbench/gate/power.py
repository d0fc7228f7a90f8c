"""What a comparison can see: the smallest drop that it catches 4 times in 5, and what would decide an open row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from maskbench.gate.testing import CONFIDENCE, Errors

POWER = 0.8

_GRID = ndtri((np.arange(24) + 0.5) / 24)
"""Standard normal quantiles: of the error that a comparison will estimate."""

_MOST_SEEDS = 1000
_MOST_IMAGES = 1_000_000


def smallest_drop(
    found: Errors,
    tails: NDArray[np.float64],
    tolerances: NDArray[np.float64],
    slopes: NDArray[np.float64],
    images: NDArray[np.float64],
    rooms: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The true drop that is called a regression with the chance ``POWER``; NaN where noise is not known.

    NaN too where the metric cannot get that much worse: of a class that an attack tells nearly always.

    A drop is called so where it is significant and its estimate is worse than the tolerance. It falls on single
    images, the same ones under every seed: so it brings image noise of its own.

    Args:
        tails: share of the bound on false alarms that each row has.
        slopes: change of a metric by the share of images whose outcome changes; 0 for those that are no shares, whose
            drop is taken to differ between images as much as it is large.
        rooms: by how much each metric can get worse at most.
    """
    start = found.quantile(tails) * np.nan_to_num(found.values)
    low = np.zeros(len(start))
    high = 64 * (np.nan_to_num(start) + tolerances) + 64 * slopes / images + 1e-6
    for _ in range(32):
        middle = (low + high) / 2
        enough = _caught(middle, found, tails, tolerances, slopes, images) >= POWER
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(found.known & (high <= rooms), high, np.nan)


def _caught(
    drop: NDArray[np.float64],
    found: Errors,
    tails: NDArray[np.float64],
    tolerances: NDArray[np.float64],
    slopes: NDArray[np.float64],
    images: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Chance that a drop of this size is called a regression."""
    # An image that is hit moves by what it has left: the variance of that is the mean square less the squared mean.
    own = np.where(slopes > 0, np.maximum(0.0, (slopes - drop) * drop), drop**2) / images
    before = np.nan_to_num(found.values) ** 2
    total = before + own
    # The drop's own noise is told by many images, so the more of it there is, the closer is t to the normal.
    parts = before**2 / np.nan_to_num(found.degrees, nan=1.0) + own**2 / np.maximum(images - 1, 1)
    degrees = np.clip(np.divide(total**2, parts, out=np.full(total.shape, 1e6), where=parts > 0), 1.0, 1e6)
    critical = -stdtrit(degrees, tails)
    error, spread = np.sqrt(total)[:, None], (2 / (9 * degrees))[:, None]
    estimated = np.maximum(1 - spread + _GRID * np.sqrt(spread), 1e-3) ** 1.5  # Wilson and Hilferty
    bar = np.maximum(critical[:, None] * error * estimated, tolerances[:, None])
    beyond = drop[:, None] - bar
    certain = np.where(beyond > 0, np.inf, -np.inf)
    return ndtr(np.divide(beyond, error, out=certain, where=error > 0)).mean(axis=1)


def deciding(
    change: float,
    tolerance: float,
    critical: float,
    seed_variance: float,
    baseline_seeds: int,
    image_variance: float,
    images: int,
) -> str:
    """What would decide a row if its estimate stays: seeds of the current run, of both runs, or more images."""
    gap = abs(tolerance - abs(change))
    outside = abs(change) > tolerance
    bar = abs(change) / critical if outside else gap / -float(ndtri((1 - CONFIDENCE) / 2))
    if bar <= 0:
        return "the estimate lies at the tolerance: no number of seeds decides it"
    left = bar**2 - image_variance
    if left <= 0:
        needed = image_variance * images / bar**2 * 1.2  # leaves a sixth of the noise to the seeds
        return f"about {_rounded(needed)} images" if needed < _MOST_IMAGES else "more than a million images"
    for seeds, of in (
        (_ratio(seed_variance, left - seed_variance / baseline_seeds), ""),
        (2 * seed_variance / left, " in each run"),
    ):
        if 0 <= seeds <= _MOST_SEEDS:
            return f"{max(2, int(np.ceil(seeds)))} seeds{of}"
    return f"more than {_MOST_SEEDS:,} seeds in each run"


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("inf")


def _rounded(count: float) -> str:
    digits = 10 ** max(0, len(str(int(count))) - 2)
    return f"{int(np.ceil(count / digits) * digits):,}"
