"""Which metrics a kind of cell has, and how each is computed from per-image outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bench.metrics.catalogue import CATALOGUE
from bench.metrics.classification import balanced_columns, balanced_statistic
from bench.metrics.intervals import Interval, Statistic, interval, mean, proportion
from bench.metrics.leakage import advantage, bits, utility

Outcomes = Mapping[str, NDArray[np.generic]]
"""Column name → (seeds, images): the same images under every seed."""


@dataclass(frozen=True)
class Estimate:
    """A metric's value with its interval; ``direction`` is what the data owner wants."""

    metric: str
    direction: str
    interval: Interval


def recognition(outcomes: Outcomes, raw: Outcomes | None, classes: int) -> list[Estimate]:
    """Accuracy, balanced accuracy, and utility where the raw control's outcomes on the same images are there."""
    estimates = _accuracies(outcomes, classes, "higher")
    if raw is not None:
        columns = _stack(outcomes["correct"], outcomes["prior_correct"], raw["correct"])
        estimates.append(_estimate("utility", columns, lambda m: utility(m[..., 0], m[..., 1], m[..., 2])))
    return estimates


def restoration(outcomes: Outcomes) -> list[Estimate]:
    """PSNR and SSIM over whole and hole, and the gain over mean-fill."""
    names = ("psnr", "psnr_hole", "ssim", "ssim_hole", "gain")
    return [_estimate(name, _stack(outcomes[name]), mean) for name in names]


def inference(outcomes: Outcomes, classes: int) -> list[Estimate]:
    """The attacker's accuracy, balanced accuracy, advantage over the prior, and bits."""
    both = _stack(outcomes["correct"], outcomes["prior_correct"])
    return [
        *_accuracies(outcomes, classes, "lower"),
        _estimate("advantage", both, lambda m: advantage(m[..., 0], m[..., 1])),
        _estimate("bits", _stack(outcomes["information"]), lambda m: bits(m[..., 0])),
    ]


def _accuracies(outcomes: Outcomes, classes: int, direction: str) -> list[Estimate]:
    correct, truth = outcomes["correct"], torch.from_numpy(np.asarray(outcomes["truth"]))
    balanced = np.stack(
        [
            balanced_columns(torch.from_numpy(row), labels, classes).numpy()
            for row, labels in zip(correct, truth, strict=True)
        ]
    )
    return [
        _estimate("accuracy", _stack(correct), proportion, direction),
        _estimate("balanced_accuracy", balanced, balanced_statistic, direction),
    ]


def _stack(*columns: NDArray[np.generic]) -> NDArray[np.float64]:
    return np.stack([column.astype(np.float64) for column in columns], axis=-1)


def _estimate(
    metric: str, columns: NDArray[np.float64], statistic: Statistic, direction: str | None = None
) -> Estimate:
    return Estimate(metric, direction or CATALOGUE[metric].direction, interval(columns, statistic))
