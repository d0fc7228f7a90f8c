"""Deterministic stratified selection: by content digest, never by file order or a random generator."""

from __future__ import annotations

import numpy as np

from maskbench.data.source import MISSING


def strata(target: np.ndarray, sensitive: np.ndarray | None) -> np.ndarray:
    """Return the joint class of each image (int64 N): by target class first, then by sensitive class."""
    if sensitive is None:
        return target
    return target * (sensitive.max(initial=MISSING) + 1) + sensitive


def stratified(stratum: np.ndarray, digests: np.ndarray, count: int) -> np.ndarray:
    """Pick `count` images in equal steps along (stratum, digest); return their indices in that order.

    Every run of neighbouring strata, and so every stratum and every target class, gets its share to within
    one image; the total is exact.
    """
    order = np.lexsort((digests, stratum))
    if count >= len(order):
        return order
    steps = np.arange(len(order) + 1) * count // len(order)
    return order[np.diff(steps) == 1]


def quota(limit: int | None, native_test: int, rest: int, test_percent: int) -> tuple[int, int]:
    """Return how many images to take from the native test split and from the rest.

    Up to `limit` in all: `test_percent` of it from the native test split where that has so many, and the limit is
    filled up from the other side where one side is too small.
    """
    if limit is None or limit >= native_test + rest:
        return native_test, rest
    from_rest = min(rest, limit - min(native_test, limit * test_percent // 100))
    return limit - from_rest, from_rest


def balanced_word(weights: dict[str, int]) -> np.ndarray:
    """Return the names as an array of length sum(weights) whose every prefix is nearly in proportion.

    Repeated, it stays within one image of the proportions at every prefix, hence any run of images gets each
    name within two images of its share. Tijdeman's rule for the chairman assignment problem (Discrete
    Mathematics 32, 1980): among the names that may be served, the one with the earliest deadline.
    """
    names, total = list(weights), sum(weights.values())
    slack = 1 - 1 / (2 * len(names) - 2)
    served = dict.fromkeys(names, 0)
    word = []
    for place in range(1, total + 1):
        lag = {name: place * weights[name] / total - served[name] for name in names}
        allowed = [name for name in names if lag[name] >= 1 - slack - 1e-9]
        chosen = min(allowed, key=lambda name: (slack - lag[name]) * total / weights[name])
        served[chosen] += 1
        word.append(chosen)
    return np.array(word)
