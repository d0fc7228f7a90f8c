"""DP-Pix: the noise has the scale that the formula states."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from maskbench import Given, Randomness, UsageError
from maskbench.methods.dp_pixelation import DpPix, block_means, laplace_noise, noise_scale
from obfuscation_checks import SHAPES, check_release, depends_on_the_seed, pictures
from scipy.stats import kstest


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parameters", [{}, {"block": 1, "m": 1}, {"block": 100}, {"block": 5, "epsilon": 100.0}])
def test_the_release_keeps_its_contract(shape: tuple[int, int, int], parameters: dict[str, Any]) -> None:
    check_release(DpPix(**parameters), shape)


def test_the_noise_is_drawn_from_the_seed() -> None:
    assert depends_on_the_seed(DpPix())


@pytest.mark.parametrize(("block", "epsilon", "m"), [(4, 1.0, 4), (8, 0.5, 16), (2, 2.0, 1)])
def test_the_noise_is_laplace_of_the_stated_scale(block: int, epsilon: float, m: int) -> None:
    scale = noise_scale((32, 32), block, epsilon, m)
    stated = 255 * m / (block**2 * epsilon)
    assert torch.equal(scale, torch.full_like(scale, stated))
    noise = laplace_noise(Randomness(3, torch.arange(200)), 3, scale).flatten()
    # The mean magnitude estimates the scale with a standard error of scale / √n; four of them on either side.
    margin = 4 * stated / len(noise) ** 0.5
    assert abs(float(noise.abs().mean()) - stated) < margin
    assert abs(float(noise.mean())) < margin * 2**0.5
    assert kstest(noise.numpy(), "laplace", args=(0, stated)).pvalue > 1e-3


def test_the_released_noise_has_the_stated_scale() -> None:
    """On mid-grey, with a scale so small that nothing is clipped, the release minus the grey is the noise."""
    method = DpPix(block=4, epsilon=16.0, m=4)
    stated = 255 * 4 / (4**2 * 16.0)  # 4 grey levels: a value beyond 127 has a probability of e⁻³²
    count = 400
    grey = torch.full((count, 3, 32, 32), 128 / 255)
    released = method.release(grey, seed=5, numbers=torch.arange(count)).images
    noise = (released[:, :, ::4, ::4] * 255 - 128).flatten().to(torch.float64)
    # Rounding to 8 bits adds at most half a level to a single value and next to nothing to a mean of this many.
    assert abs(float(noise.abs().mean()) - stated) < 4 * stated / len(noise) ** 0.5 + 0.02
    assert torch.equal(released[:, :, ::4, ::4], released[:, :, 3::4, 3::4])


def test_images_and_channels_get_independent_noise() -> None:
    noise = laplace_noise(Randomness(0, torch.arange(500)), 3, noise_scale((32, 32), 4, 1.0, 1)).flatten(2)
    standardised = noise / noise.std()
    between_channels = (standardised[:, 0] * standardised[:, 1]).mean()
    between_images = (standardised[1:, 0] * standardised[:-1, 0]).mean()
    # 500 × 64 products of unit variance: a standard error of 0.0056.
    assert abs(float(between_channels)) < 0.025
    assert abs(float(between_images)) < 0.025


def test_blocks_cut_off_at_the_edge_get_more_noise() -> None:
    scale = noise_scale((5, 6), 4, 1.0, 1)
    assert torch.allclose(scale, 255 / torch.tensor([[16.0, 8.0], [4.0, 2.0]], dtype=torch.float64))


def test_block_means_are_of_the_pixels_that_are_there() -> None:
    images = pictures(2, (3, 30, 21))
    means = block_means(images, 4)
    assert means.shape == (2, 3, 8, 6)
    levels = (images * 255).round()
    assert torch.allclose(means[:, :, 0, 0], levels[:, :, :4, :4].mean(dim=(2, 3)).double())
    assert torch.allclose(means[:, :, 7, 5], levels[:, :, 28:, 20:].mean(dim=(2, 3)).double())


def test_a_large_budget_leaves_plain_pixelation() -> None:
    images = pictures(3, (3, 32, 32))
    released = DpPix(epsilon=600).desensitize(images, Given(Randomness(0, torch.arange(3)))).images
    assert torch.allclose(released[:, :, ::4, ::4] * 255, block_means(images, 4).float(), atol=1.5)


@pytest.mark.parametrize(
    "parameters",
    [{"epsilon": 0}, {"block": 0}, {"m": 0}, {"epsilon": -1}, {"epsilon": float("inf")}, {"epsilon": float("nan")}],
)
def test_parameters_outside_their_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(parameters))):
        DpPix.create(parameters)


@pytest.mark.parametrize(
    "parameters", [{"block": 1, "epsilon": 1e8}, {"block": 4, "epsilon": 700}, {"block": 200, "epsilon": 101}]
)
def test_a_budget_that_leaves_no_noise_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"leaves no noise that eight bits show.*at most"):
        DpPix.create(parameters)


def test_a_block_as_large_as_a_picture_may_be_any_larger() -> None:
    images = pictures(2, (3, 30, 21))
    given = [Given(Randomness(0, torch.arange(2))) for _ in range(2)]
    whole, larger = (DpPix(block=block, epsilon=50.0) for block in (30, 99_999))
    assert torch.equal(whole.desensitize(images, given[0]).images, larger.desensitize(images, given[1]).images)
