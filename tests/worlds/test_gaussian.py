"""The optimum of the Gaussian worlds: calibrated on a large sample, and what brute force gives on tiny pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from maskbench.worlds.gaussian import Answer, Kept, Projected, Seen, optimum
from maskbench.worlds.mixture import LEVELS, ROUNDING, Mixture
from maskbench.worlds.world import FAMILIES, World
from scipy.stats import multivariate_normal, norm
from torch import Tensor

SIDE = 16
GAUSSIAN = [family for family in FAMILIES if isinstance(World(family, SIDE, 0).mixture, Mixture)]
LARGE = 4000
TINY = 6  # pixels


def drawn(world: World, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (count, D) in [0, 1], their sensitive and their task labels."""
    pixels = world.pictures(count).reshape(count, -1)
    sensitive, task = map(torch.from_numpy, world.labels(count))
    return torch.from_numpy(pixels).double() / 255, sensitive, task


def patches(count: int) -> Tensor:
    """Random masks that keep a quarter of a picture of 16 px, in patches of 4 px: bool (count, 256)."""
    keep = torch.rand(count, 16, generator=torch.Generator().manual_seed(0)).argsort(1) < 4
    return keep.view(count, 4, 4).repeat_interleave(4, 1).repeat_interleave(4, 2).flatten(1)


def block_means(side: int, block: int) -> Tensor:
    """The matrix that takes a picture to the means of its blocks."""
    rows, columns = np.indices((side, side)) // block
    matrix = torch.zeros(side * side // block**2, side * side, dtype=torch.float64)
    matrix[(rows * (side // block) + columns).ravel(), torch.arange(side * side)] = 1 / block**2
    return matrix


def means_of_blocks(pictures: Tensor) -> Projected:
    """What pixelation shows of pictures of 16 px: rounded means of 4 × 4 pixels."""
    matrix = block_means(SIDE, 4)
    nothing = torch.zeros(len(matrix), dtype=torch.float64)
    return Projected((pictures @ matrix.T * 255).round() / 255, matrix, nothing, nothing + ROUNDING)


def surplus(answer: Answer, sensitive: Tensor) -> float:
    """Log score minus expected log score, in standard errors: what a posterior that is right keeps near 0."""
    log = answer.log_posterior
    difference = log.gather(1, sensitive[:, None])[:, 0] - (log.exp() * log).sum(1)
    return float(difference.mean() / difference.std() * math.sqrt(len(log)))


@pytest.mark.parametrize("task_known", [True, False])
@pytest.mark.parametrize("family", GAUSSIAN)
def test_the_log_score_is_the_entropy(family: str, task_known: bool) -> None:
    pictures, sensitive, task = drawn(World(family, SIDE, 1), LARGE)
    for seen in (means_of_blocks(pictures), Kept(pictures[:1500], patches(1500))):
        count = len(seen.values)
        answer = optimum(World(family, SIDE, 1).mixture, seen, task[:count] if task_known else None)
        assert abs(surplus(answer, sensitive[:count])) < 3.5, (family, type(seen).__name__)


@pytest.mark.parametrize("family", GAUSSIAN)
def test_a_wrong_world_is_found_out(family: str) -> None:
    pictures, sensitive, task = drawn(World(family, SIDE, 1), LARGE)
    answer = optimum(World(family, SIDE, 2).mixture, means_of_blocks(pictures), task)
    assert abs(surplus(answer, sensitive)) > 5


@pytest.mark.parametrize("family", GAUSSIAN)
def test_no_linear_restoration_comes_closer(family: str) -> None:
    """Least squares, fitted to the very pictures that it is judged on."""
    pictures, _, task = drawn(World(family, SIDE, 1), LARGE)
    seen = means_of_blocks(pictures)
    inputs = torch.cat([seen.values, task[:, None].double(), torch.ones(LARGE, 1).double()], dim=1)
    linear = inputs @ torch.linalg.lstsq(inputs, pictures).solution
    ours = optimum(World(family, SIDE, 1).mixture, seen, task).restored
    assert (ours - pictures).square().mean() < (linear - pictures).square().mean() * 1.005


def small_mixture() -> Mixture:
    """Three sensitive and two task classes, seven components, two covariances, six pixels."""
    generator = np.random.default_rng(3)
    factors = generator.normal(size=(2, TINY, TINY)) * 0.05
    weights = generator.uniform(1, 2, 7)
    return Mixture(
        means=0.5 + 0.08 * generator.normal(size=(7, TINY)),
        covariances=factors @ factors.transpose(0, 2, 1) + 1e-3 * np.eye(TINY),
        covariance_of=np.array([0, 1, 0, 1, 0, 1, 1]),
        sensitive=np.array([0, 0, 1, 1, 2, 2, 2]),
        task=np.array([0, 1, 0, 1, 0, 1, 1]),
        log_weights=np.log(weights / weights.sum()),
    )


def brute_force(mixture: Mixture, matrix: np.ndarray, noise: float, values: np.ndarray, task: int) -> np.ndarray:
    """The posterior by the textbook formula, one density at a time."""
    density = np.zeros(3)
    for k, mean in enumerate(mixture.means):
        if mixture.task[k] == task:
            stored = mixture.covariances[mixture.covariance_of[k]] + ROUNDING * np.eye(TINY)
            spread = matrix @ stored @ matrix.T + noise * np.eye(len(matrix))
            density[mixture.sensitive[k]] += np.exp(mixture.log_weights[k]) * multivariate_normal.pdf(
                values, matrix @ mean, spread
            )
    return density / density.sum()


@pytest.mark.parametrize("masked", [True, False])
def test_brute_force_agrees_on_tiny_pictures(masked: bool) -> None:
    mixture = small_mixture()
    generator = np.random.default_rng(4)
    sensitive, task = generator.integers(0, 3, 40), generator.integers(0, 2, 40)
    pictures = mixture.draw(sensitive, task, generator) / 255
    if masked:
        kept = generator.random((40, TINY)) < 0.5  # masks that keep different numbers, none of them all
        matrices, noise = [np.eye(TINY)[row] for row in kept], 0.0
        seen: Seen = Kept(torch.from_numpy(pictures), torch.from_numpy(kept))
    else:
        matrix = generator.normal(size=(3, TINY))
        matrices, noise = [matrix] * 40, ROUNDING
        values = torch.from_numpy(pictures @ matrix.T)
        nothing = torch.zeros(3, dtype=torch.float64)
        seen = Projected(values, torch.from_numpy(matrix), nothing, nothing + noise)
    found = optimum(mixture, seen, torch.from_numpy(task)).log_posterior.exp().numpy()
    for row, picture in enumerate(pictures):
        if len(matrices[row]):
            expected = brute_force(mixture, matrices[row], noise, matrices[row] @ picture, task[row])
            np.testing.assert_allclose(found[row], expected, rtol=1e-8)


def test_the_conditional_mean_is_that_of_importance_sampling() -> None:
    mixture = small_mixture()
    generator = np.random.default_rng(5)
    count = 400_000
    component = generator.choice(7, count, p=np.exp(mixture.log_weights))
    factors = np.linalg.cholesky(mixture.covariances + ROUNDING * np.eye(TINY))[mixture.covariance_of[component]]
    samples = mixture.means[component] + np.einsum("nij,nj->ni", factors, generator.normal(size=(count, TINY)))
    matrix, variance = generator.normal(size=(2, TINY)), 1e-2
    values = matrix @ samples[0]
    weights = np.exp(-np.square(values - samples @ matrix.T).sum(1) / (2 * variance))
    nothing = torch.zeros(2, dtype=torch.float64)
    seen = Projected(torch.from_numpy(values)[None], torch.from_numpy(matrix), nothing, nothing + variance)
    found = optimum(mixture, seen, None).restored[0].numpy()
    np.testing.assert_allclose(found, weights @ samples / weights.sum(), atol=3e-3)


def test_of_nothing_the_prior_is_known() -> None:
    world = World("gaussian-linear", SIDE, 0)
    pictures, _, task = drawn(world, 10)
    answer = optimum(world.mixture, Kept(pictures, torch.zeros_like(pictures, dtype=torch.bool)), task)
    prior = torch.from_numpy(world.mixture.prior / world.mixture.prior.sum(0))
    torch.testing.assert_close(answer.log_posterior.exp(), prior.T[task])


@pytest.mark.parametrize("family", GAUSSIAN)
def test_hardly_any_picture_is_clipped(family: str) -> None:
    """What docs/worlds.md states."""
    mixture = World(family, SIDE, 0).mixture
    spread = np.sqrt(np.einsum("lii->li", mixture.covariances))[mixture.covariance_of]
    half = 0.5 / LEVELS
    beyond = norm.cdf((-half - mixture.means) / spread) + norm.cdf((mixture.means - 1 - half) / spread)
    assert (np.exp(mixture.log_weights)[:, None] * beyond).sum() < 1e-7  # over the pixels: a union bound


def test_a_sign_is_nothing_to_a_linear_attacker() -> None:
    """The mean of every class is the same, whatever the task."""
    mixture = World("gaussian-sign", SIDE, 0).mixture
    for task in range(2):
        classes = [mixture.means[(mixture.sensitive == one) & (mixture.task == task)].mean(0) for one in range(5)]
        np.testing.assert_allclose(classes, [classes[0]] * 5, atol=1e-12)
