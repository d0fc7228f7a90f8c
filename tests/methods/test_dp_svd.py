"""DP-SVD: the noise has the density that metric privacy asks for, and lands on the singular values alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from maskbench import Randomness, UsageError
from maskbench.methods.dp_singular_values import DpSvd, metric_noise, reconstruct
from obfuscation_checks import SHAPES, check_release, depends_on_the_seed, pictures
from scipy.stats import kstest


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parameters", [{}, {"rank": 1}, {"rank": 1000, "epsilon": 1e-3}])
def test_the_release_keeps_its_contract(shape: tuple[int, int, int], parameters: dict[str, Any]) -> None:
    check_release(DpSvd(**parameters), shape)


def test_the_noise_is_drawn_from_the_seed() -> None:
    assert depends_on_the_seed(DpSvd())


@pytest.mark.parametrize(("dimensions", "epsilon"), [(1, 1.0), (12, 0.05)])
def test_the_length_of_the_noise_follows_its_gamma_law(dimensions: int, epsilon: float) -> None:
    count = 5000
    noise = metric_noise(Randomness(0, torch.arange(count)), dimensions, epsilon)
    length = noise.norm(dim=1)
    # Gamma(d, 1/ε): mean d/ε, standard deviation √d/ε.
    assert abs(float(length.mean()) - dimensions / epsilon) < 4 * (dimensions / count) ** 0.5 / epsilon
    assert kstest((length * epsilon).numpy(), "gamma", args=(dimensions,)).pvalue > 1e-3
    direction = noise / length[:, None]
    assert float(direction.mean(dim=0).abs().max()) < 4 / (dimensions * count) ** 0.5


def test_the_density_falls_by_epsilon_for_each_unit_of_distance() -> None:
    """In one dimension the law is Laplace(1/ε): twice the distance, the square of the odds."""
    noise = metric_noise(Randomness(1, torch.arange(20000)), 1, epsilon=0.5).flatten()
    assert kstest(noise.numpy(), "laplace", args=(0, 2.0)).pvalue > 1e-3


def test_without_noise_and_at_full_rank_the_image_is_back() -> None:
    levels = pictures(3, (3, 48, 32)).double() * 255
    back = reconstruct(levels, torch.zeros(3, 3, 32, dtype=torch.float64))
    assert float((back - levels).abs().max()) < 0.01


def test_without_noise_it_is_the_best_approximation_of_its_rank() -> None:
    levels = pictures(3, (1, 32, 32)).double() * 255
    error = (reconstruct(levels, torch.zeros(3, 1, 4, dtype=torch.float64)) - levels).norm(dim=(2, 3))
    dropped = torch.linalg.svdvals(levels)[..., 4:].norm(dim=2)  # Eckart and Young
    assert torch.allclose(error, dropped, rtol=1e-3)


def test_the_noise_lands_on_the_singular_values() -> None:
    levels = pictures(2, (3, 32, 32)).double() * 255
    noise = torch.tensor([30.0, -20.0, 10.0], dtype=torch.float64).expand(2, 3, 3)
    values = torch.linalg.svdvals(levels)[..., :3]
    noisy = torch.linalg.svdvals(reconstruct(levels, noise))[..., :3]
    expected = (values + noise).abs().sort(dim=-1, descending=True).values
    assert torch.allclose(noisy, expected, atol=0.05)


def test_a_flat_image_has_no_arbitrary_directions() -> None:
    """Its singular values but one are zero; the texture that gives them vectors must decide, not rounding errors."""
    levels = torch.full((1, 1, 32, 32), 100.0, dtype=torch.float64)
    noise = torch.full((1, 1, 4), 50.0, dtype=torch.float64)
    wobble = 1e-9 * torch.rand(1, 1, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert float((reconstruct(levels, noise) - reconstruct(levels + wobble, noise)).abs().max()) < 1e-3


@pytest.mark.parametrize(
    "parameters", [{"epsilon": 0}, {"rank": 0}, {"epsilon": float("inf")}, {"rank": 100, "epsilon": 601.0}]
)
def test_parameters_outside_their_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(reversed(parameters))):
        DpSvd.create(parameters)
