"""The optimum of the finite world, beside a sum over all pictures in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
import torch
from maskbench.worlds.enumeration import KeptPixels, LaplaceNoise, Same, enumerated
from maskbench.worlds.finite import Finite
from maskbench.worlds.world import World

PIXELS, COUNT = 5, 2**5


@pytest.fixture(scope="module")
def small() -> Finite:
    """All pictures of five pixels, three sensitive and two task classes."""
    generator = np.random.default_rng(2)
    bright = (np.arange(COUNT)[:, None] >> np.arange(PIXELS)) & 1
    joint = generator.uniform(0.2, 1, (COUNT, 3, 2))
    return Finite((60 + 120 * bright + np.arange(PIXELS)).astype(np.uint8), joint / joint.sum())


def brute_force(world: Finite, likely: np.ndarray, task: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The posterior and the mean picture, one picture at a time; likely: p(release | picture), (K,)."""
    posterior, mean, total = np.zeros(3), np.zeros(PIXELS), 0.0
    for number, picture in enumerate(world.pictures):
        for sensitive in range(3):
            for one in range(2):
                if task is None or one == task:
                    weight = likely[number] * world.joint[number, sensitive, one]
                    posterior[sensitive] += weight
                    mean += weight * picture / 255
                    total += weight
    return posterior / total, mean / total


@pytest.mark.parametrize("task_known", [True, False])
def test_functions_of_the_picture(small: Finite, task_known: bool) -> None:
    """The sum of the picture's first three pixels, and of one picture in four either this or the last pixel."""
    sums = torch.from_numpy(small.pictures[:, :3].astype(np.int64).sum(1))
    other = torch.where(torch.arange(COUNT) % 4 == 0, torch.from_numpy(small.pictures[:, 4].astype(np.int64)), sums)
    task = torch.arange(COUNT) % 2 if task_known else None
    every = torch.stack([sums, other])
    likelihoods = Same(sums, every.expand(2, -1, -1), torch.arange(COUNT) % 2)
    found = enumerated(small, likelihoods, COUNT, task)
    for row in range(COUNT):
        ways: dict[int, np.ndarray] = defaultdict(lambda: np.zeros(COUNT))
        for picture in range(COUNT):
            for released in (sums[picture], other[picture]):
                ways[int(released)][picture] += 0.5
        told = None if task is None else int(task[row])
        posterior, mean = brute_force(small, ways[int(sums[row])], told)
        np.testing.assert_allclose(found.log_posterior[row].exp(), posterior, rtol=1e-12)
        np.testing.assert_allclose(found.restored[row], mean, rtol=1e-12)
    assert likelihoods.possible(torch.arange(COUNT)).all()
    assert not likelihoods.possible(torch.arange(COUNT).roll(1)).all()


def test_kept_pixels(small: Finite) -> None:
    kept = np.random.default_rng(3).random((COUNT, PIXELS)) < 0.5
    pictures = torch.from_numpy(small.pictures)
    task = torch.arange(COUNT) % 2
    found = enumerated(
        small, KeptPixels(pictures, pictures * torch.from_numpy(kept), torch.from_numpy(kept)), COUNT, task
    )
    for row in range(COUNT):
        agree = np.array([np.array_equal(each[kept[row]], small.pictures[row][kept[row]]) for each in small.pictures])
        posterior, mean = brute_force(small, agree.astype(float), int(task[row]))
        np.testing.assert_allclose(found.log_posterior[row].exp(), posterior, rtol=1e-12)
        np.testing.assert_allclose(found.restored[row], mean, rtol=1e-12)


def test_laplace_noise_with_its_clipping_and_rounding(small: Finite) -> None:
    """The mass of a level is that of all values that are rounded to it, added up numerically."""
    scale = torch.tensor([0.07, 0.2], dtype=torch.float64)
    every = torch.from_numpy(small.pictures[:, :2]).double() / 255
    levels = torch.tensor([[0, 0], [255, 255], [90, 200], [61, 63]])
    found = LaplaceNoise(every, levels.double() / 255, scale).of(slice(None))
    grid = np.linspace(-2, 3, 100_001)
    step = grid[1] - grid[0]
    for row, shown in enumerate(levels.tolist()):
        likely = np.ones(COUNT)
        for value, (level, width) in enumerate(zip(shown, scale.tolist(), strict=True)):
            inside = np.clip(np.round(grid * 255), 0, 255) == level
            for picture in range(COUNT):
                density = np.exp(-np.abs(grid - float(every[picture, value])) / width) / (2 * width)
                likely[picture] *= density[inside].sum() * step
        np.testing.assert_allclose(found[row], likely / likely.max(), rtol=1e-2)


def test_what_is_drawn_has_the_probabilities() -> None:
    world = World("finite", 16, 0)
    finite = world.mixture
    assert isinstance(finite, Finite)
    assert len(np.unique(finite.pictures, axis=0)) == len(finite.pictures) == 4096
    count = 20_000
    pictures = world.pictures(count).reshape(count, -1)
    bright = (pictures[:, np.arange(256)] > 128).mean(0)
    expected = (finite.joint.sum((1, 2))[:, None] * (finite.pictures > 128)).sum(0)
    assert np.abs(bright - expected).max() < 4 * math.sqrt(0.25 / count)
