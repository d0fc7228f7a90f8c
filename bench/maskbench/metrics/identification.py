"""Re-identification from scores of probes against people: ranks, and acceptance at a false acceptance rate."""

from __future__ import annotations

import torch
from torch import Tensor

FALSE_ACCEPTANCE = 0.01
"""Share of wrong people that are accepted at the threshold of ``accepted``."""

RANKS = (1, 5)
"""The ranks that are reported."""

IDENTIFICATION = (*(f"rank{limit}" for limit in RANKS), "tar")
"""Names of the outcomes, in the order they are reported in."""


def rank(scores: Tensor, truth: Tensor) -> Tensor:
    """Place of the right person, 1 = first, equal scores counted against it: (N, people), (N,) → float64 (N,)."""
    own = scores.gather(1, truth[:, None])
    return (scores >= own).sum(dim=1).to(torch.float64)


def accepted(scores: Tensor, truth: Tensor, rate: float = FALSE_ACCEPTANCE) -> Tensor:
    """Whether the right person is accepted at the threshold that wrong ones pass with the given rate: float64 (N,).

    The threshold is taken over all pairs of a probe and a wrong person of these scores, as verification is usually
    reported; its mean is the true acceptance rate at that false acceptance rate.

    Args:
        scores: (N, people), higher = more similar.
        truth: int64 (N,).
    """
    right = torch.zeros_like(scores, dtype=torch.bool).scatter(1, truth[:, None], True)
    wrong = scores[~right].sort(descending=True).values
    # At most this many wrong pairs may lie above the threshold.
    allowed = int(rate * len(wrong))
    threshold = wrong[allowed] if len(wrong) else scores.new_tensor(-torch.inf)
    return (scores[right] > threshold).to(torch.float64)


def identification(scores: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """Per-image outcomes by name: within each of ``RANKS``, and accepted; float64 (N,) of 0 and 1 each."""
    place = rank(scores, truth)
    within = [(place <= limit).to(torch.float64) for limit in RANKS]
    return dict(zip(IDENTIFICATION, [*within, accepted(scores, truth)], strict=True))
