"""Masks and releases of a batch outrun a loop over its images, and grow with them alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from maskbench import Method
from maskbench.plugins.catalogue import create
from maskbench.plugins.given import Attribution
from maskbench.plugins.mask_method import keep_highest
from maskbench.plugins.names import parse
from maskbench.randomness import Randomness
from pairs import DEVICES, in_turn
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

SIDE, UNIT, RATIO = 32, 4, 0.75
IMAGES = 512
LEAST_MASKS = 2.0
"""Times the speed of a loop that sorts the units of one image after the other, ties broken by the image's own lots."""
MOST_RELEASE = 5.0
"""Times the time of hiding by the very same masks: the judge looks at every pixel that leaves, and copies the input."""


def _images() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (IMAGES, 3, SIDE, SIDE), generator=generator).float() / 255


@pytest.mark.parametrize("device", DEVICES)
def test_masks_of_a_batch_outrun_a_loop(benchmark: BenchmarkFixture, device: torch.device) -> None:
    units = SIDE // UNIT
    scores = torch.rand(IMAGES, 1, units, units, generator=torch.Generator().manual_seed(0))
    there, on_the_host = scores.to(device), scores.numpy()
    rng = Randomness(0, torch.arange(IMAGES, device=device))
    kept = round((1 - RATIO) * units * units)

    def loop() -> None:
        for number, each in enumerate(on_the_host):
            lots = np.random.default_rng([0, number]).random(units * units)
            mask = np.zeros(units * units, np.float32)
            mask[np.lexsort((lots, each.ravel()))[-kept:]] = 1
            mask.reshape(units, units).repeat(UNIT, 0).repeat(UNIT, 1)

    def ours() -> None:
        keep_highest(there, (SIDE, SIDE), UNIT, RATIO, rng)

    assert in_turn(benchmark, ours, loop, device=device).speedup >= LEAST_MASKS


@pytest.mark.parametrize("device", DEVICES)
def test_a_judged_release_costs_little_more_than_hiding(benchmark: BenchmarkFixture, device: torch.device) -> None:
    name, parameters = parse(f"saliency:attribution=gradient,ratio={RATIO}")
    method: Method = create("method", name, parameters)
    images, numbers = _images().to(device), torch.arange(IMAGES, device=device)
    answers = {Attribution("gradient"): images.mean(1, keepdim=True)}
    rng = Randomness(0, numbers)

    def hidden() -> None:
        scores = torch.nn.functional.avg_pool2d(answers[Attribution("gradient")], UNIT)
        masks = keep_highest(scores, (SIDE, SIDE), UNIT, RATIO, rng)
        (torch.where(masks == 1, images, 0) * 255).round().to(torch.uint8)

    def ours() -> None:
        method.release(images, seed=0, numbers=numbers, attributions=answers)

    assert in_turn(benchmark, ours, hidden, device=device).slowdown <= MOST_RELEASE
