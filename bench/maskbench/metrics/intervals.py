"""Bootstrap confidence intervals over images and seeds, paired and fast.

A metric is a function of means of per-image outcome columns, so a resample is a weighting of images: one
matrix product gives the column means of all resamples. The weights depend on the number of images and seeds
alone, so two cells with the same images are resampled alike.

Images are crossed with seeds (the same images under each seed), so both are resampled, independently: the
pigeonhole bootstrap (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2), 2007). Few seeds
make it too narrow where seeds differ more than images do: an interval from 3 seeds never leaves their range,
which holds the true mean 3 times in 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From column means (..., k) to values (...); vectorised over the leading axes."""

_BLOCK = 2**22  # weights turned into float64 at a time, 32 MB
_DRAWN = 2**16  # images drawn at a time: what is counted stays in the processor's cache
_SEED_STREAM = 1  # keeps the draws of seeds apart from those of images
_IMAGE_STREAM = 0
_STREAMS = 2  # of a population


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval; ``n`` images and ``seeds`` seeds went into it."""

    value: float
    low: float
    high: float
    n: int
    seeds: int


def mean(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of a single outcome column, the statistic of PSNR and SSIM."""
    if means.shape[-1] != 1:
        raise ValueError(f"means: expected one column, got {means.shape[-1]}.")
    return means[..., 0]


def proportion(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of a single column of 0 and 1, the statistic of accuracy; see ``interval`` on its bounds."""
    return mean(means)


def interval(
    columns: NDArray[np.float64] | Tensor,
    statistic: Statistic = mean,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return ``statistic`` of the column means and its percentile bootstrap interval.

    ``columns`` is (seeds, images, k): per-image outcomes, the same images under each seed. An image with a
    NaN under any seed or in any column is left out under all; ``n`` counts the others. ``n = 0`` gives NaN; a
    single image gives NaN bounds. Resamples where the statistic is NaN are left out.

    Where a plain ``proportion`` (one column of 0 and 1) is all 0 or all 1, every resample agrees and
    the bootstrap would claim certainty; then the bounds are Clopper-Pearson's for ``n`` trials, seeds not
    counted as more trials. Other statistics of constant columns keep their degenerate interval.

    Raises ValueError, naming the argument, for another shape, infinite outcomes, a confidence outside (0, 1),
    no resamples, or a statistic that is not vectorised.
    """
    outcomes = _outcomes("columns", columns)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a share between 0 and 1, got {confidence}.")
    if resamples < 1:
        raise ValueError(f"resamples: expected at least 1, got {resamples}.")
    outcomes = outcomes[:, ~np.isnan(outcomes).any(axis=(0, 2))]
    seeds, n, _ = outcomes.shape
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, seeds)
    centre = outcomes.mean(axis=(0, 1))
    value = float(_apply(statistic, centre))

    if statistic is proportion and centre[0] in (0.0, 1.0) and bool((outcomes == centre).all()):
        from scipy.stats import binomtest  # half a second to import, and rarely used

        exact = binomtest(round(n * value), n).proportion_ci(confidence, method="exact")
        return Interval(value, float(exact.low), float(exact.high), n, seeds)
    if n == 1:
        return Interval(value, float("nan"), float("nan"), n, seeds)

    values = _apply(statistic, resampled_means(outcomes, resamples, seed))
    values = values[~np.isnan(values)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, (tail, 1 - tail)) if len(values) else (np.nan, np.nan)
    return Interval(value, float(low), float(high), n, seeds)


def difference(
    columns_a: NDArray[np.float64] | Tensor,
    columns_b: NDArray[np.float64] | Tensor,
    statistic_a: Statistic = mean,
    statistic_b: Statistic | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return statistic_a of a minus statistic_b of b, paired: same images and seeds, resampled together.

    ``columns_a`` is (seeds, images, k_a), ``columns_b`` (seeds, images, k_b), with image i and seed j the
    same in both; ``statistic_b`` is ``statistic_a`` unless given. An image with a NaN in either is left out
    of both. The interval of two constants is degenerate. Raises ValueError as ``interval`` does, and where
    seeds or images differ in number.
    """
    a, b = _outcomes("columns_a", columns_a), _outcomes("columns_b", columns_b)
    if a.shape[:2] != b.shape[:2]:
        raise ValueError(f"columns_b: (seeds, images) {b.shape[:2]} differ from columns_a's {a.shape[:2]}.")
    split = a.shape[2]
    of_b = statistic_a if statistic_b is None else statistic_b

    def gap(means: NDArray[np.float64]) -> NDArray[np.float64]:
        return statistic_a(means[..., :split]) - of_b(means[..., split:])

    both = np.concatenate([a, b], axis=2)
    return interval(both, gap, resamples=resamples, confidence=confidence, seed=seed)


def _outcomes(name: str, columns: NDArray[np.float64] | Tensor) -> NDArray[np.float64]:
    array = columns.detach().cpu().numpy() if isinstance(columns, Tensor) else np.asarray(columns)
    if array.ndim != 3 or array.shape[0] == 0 or array.shape[2] == 0:
        raise ValueError(f"{name}: expected (seeds, images, columns), got shape {array.shape}.")
    array = array.astype(np.float64, copy=False)
    if np.isinf(array).any():
        raise ValueError(f"{name}: infinite outcomes have no mean; cap them first.")
    return array


def _apply(statistic: Statistic, means: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.asarray(statistic(means), dtype=np.float64)
    if values.shape != means.shape[:-1]:
        raise ValueError(f"statistic: gave shape {values.shape} for means {means.shape}; it must be vectorised.")
    return values


def resampled_means(
    outcomes: NDArray[np.float64], resamples: int = 1000, seed: int = 0, population: int = 0
) -> NDArray[np.float64]:
    """Return the column means (resamples, k) of outcomes (seeds, images, k), without NaN, under resampling.

    Outcomes of as many images and seeds are resampled alike. Images of another ``population`` are drawn apart, with
    the same draws of seeds: so what is measured on two splits can be combined.
    """
    seeds, n, k = outcomes.shape
    flat = outcomes.transpose(1, 0, 2).reshape(n, seeds * k)
    counts = _counts(n, resamples, seed, _IMAGE_STREAM + _STREAMS * population)
    step = max(1, _BLOCK // n)
    blocks = [counts[start : start + step].astype(np.float64) @ flat for start in range(0, resamples, step)]
    by_seed = np.concatenate(blocks).reshape(resamples, seeds, k) / n
    if seeds == 1:
        return by_seed[:, 0]
    chosen = _counts(seeds, resamples, seed, _SEED_STREAM)
    return (by_seed * chosen[:, :, None]).sum(1) / seeds


@lru_cache(maxsize=16)
def _counts(n: int, resamples: int, seed: int, stream: int) -> NDArray[np.uint16]:
    """Return how often each of n units is drawn in each resample, (resamples, n): multinomial rows.

    Kept as small integers, since thousands of cells share them.
    """
    generator = np.random.default_rng([seed, stream, n])
    counts = np.empty((resamples, n), dtype=np.uint16)
    step = max(1, _DRAWN // n)
    for start in range(0, resamples, step):
        block = counts[start : start + step]
        drawn = generator.integers(n, size=block.shape)
        drawn += np.arange(len(block))[:, None] * n
        block[:] = np.bincount(drawn.ravel(), minlength=block.size).reshape(block.shape)
    counts.setflags(write=False)
    return counts
