"""Which metrics a kind of cell has, and how each is computed from per-image outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from maskbench.metrics.catalogue import CATALOGUE
from maskbench.metrics.classification import balanced_columns, balanced_statistic
from maskbench.metrics.identification import IDENTIFICATION
from maskbench.metrics.intervals import Interval, Statistic, difference, interval, mean, proportion
from maskbench.metrics.leakage import advantage, bits, utility

Outcomes = Mapping[str, NDArray[np.generic]]
"""Column name → (seeds, images): the same images under every seed."""

MAIN = {"restoration": "ssim_hole", "inference": "advantage"}
"""Kind of attack → the metric by which it is judged."""


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
    """PSNR and SSIM over whole and hole, and the gain over mean-fill; MS-SSIM and LPIPS where they were measured."""
    names = ("psnr", "psnr_hole", "ssim", "ssim_hole", "gain", "ms_ssim", "lpips")
    return [_estimate(name, _stack(outcomes[name]), mean) for name in names if name in outcomes]


def found_masks(outcomes: Outcomes) -> list[Estimate]:
    """How well masks that were withheld are found."""
    return [_estimate(name, _stack(outcomes[name]), mean) for name in ("mask_accuracy", "mask_iou")]


def inference(outcomes: Outcomes, classes: int) -> list[Estimate]:
    """The attacker's accuracy, balanced accuracy and advantage over the prior; bits and ranks where they are there."""
    found = [*_accuracies(outcomes, classes, "lower"), _estimate("advantage", _guesses(outcomes), _advantage)]
    if "information" in outcomes:
        found.append(_estimate("bits", _stack(outcomes["information"]), lambda m: bits(m[..., 0])))
    found += [_estimate(name, _stack(outcomes[name]), proportion) for name in IDENTIFICATION if name in outcomes]
    return found


def over(kind: str, outcomes: Outcomes, reference: Outcomes, name: str) -> Estimate:
    """By how much the main metric of a kind of attack is above its value for a reference: same images, same seeds.

    Args:
        kind: whose main metric, as in ``MAIN``.
        name: of the reference, as in the metrics' names: over_null, over_less_data.
    """
    metric = MAIN[kind]
    if kind == "restoration":
        found = difference(_stack(outcomes[metric]), _stack(reference[metric]))
    else:
        found = difference(_guesses(outcomes), _guesses(reference), _advantage)
    return _named(f"{metric}_{name}", found)


def _guesses(outcomes: Outcomes) -> NDArray[np.float64]:
    return _stack(outcomes["correct"], outcomes["prior_correct"])


def _advantage(means: NDArray[np.float64]) -> NDArray[np.float64]:
    return advantage(means[..., 0], means[..., 1])


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
    return _named(metric, interval(columns, statistic), direction)


def _named(metric: str, found: Interval, direction: str | None = None) -> Estimate:
    return Estimate(metric, direction or CATALOGUE[metric].direction, found)
