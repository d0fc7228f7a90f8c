"""Exact duplicates: one copy of each distinct image is kept."""

from __future__ import annotations

import numpy as np


def distinct(digests: np.ndarray, stratum: np.ndarray, native_test: np.ndarray | None) -> tuple[np.ndarray, list[str]]:
    """Return the sorted indices of one copy of each distinct image, and what was dropped.

    Copies with different labels are all dropped; of copies inside and outside the native test split, the
    test split's is kept.

    Args:
        digests: N, the content of each image.
        stratum: int64 N, the joint class of each image.
        native_test: bool N or None.
    """
    in_test = np.zeros(len(digests), dtype=bool) if native_test is None else native_test
    _, content = np.unique(digests, return_inverse=True)
    order = np.lexsort((stratum, ~in_test, content))
    first = np.ones(len(order), dtype=bool)
    first[1:] = content[order][1:] != content[order][:-1]
    starts = np.flatnonzero(first)
    if not len(starts):
        return starts, []

    lowest = np.minimum.reduceat(stratum[order], starts)
    highest = np.maximum.reduceat(stratum[order], starts)
    copies = np.diff(np.append(starts, len(order)))
    tests = np.add.reduceat(in_test[order].astype(np.int64), starts)
    agree = lowest == highest

    notes = []
    if disagreeing := int(copies[~agree].sum()):
        notes.append(f"{disagreeing} images were dropped: exact copies of one another with different labels.")
    across = agree & (tests > 0) & (tests < copies)
    if leaked := int((copies - tests)[across].sum()):
        notes.append(f"{leaked} training images were dropped: exact copies of images of the native test split.")
    within = np.where(tests > 0, tests, copies)[agree] - 1
    if repeated := int(within.sum()):
        notes.append(f"{repeated} images were dropped: exact copies of another image with the same labels.")
    return np.sort(order[starts[agree]]), notes
