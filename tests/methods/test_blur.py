"""Gaussian blur against an independent implementation, and its edges."""

from __future__ import annotations

import pytest
import torch
from maskbench import Given, Randomness, UsageError
from maskbench.methods.blur import GaussianBlur, blur_matrix
from obfuscation_checks import SHAPES, check_release, depends_on_the_seed, pictures
from scipy.ndimage import gaussian_filter


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strength", [0.02, 0.06, 1.0])
def test_the_release_keeps_its_contract(shape: tuple[int, int, int], strength: float) -> None:
    check_release(GaussianBlur(strength=strength), shape)


def test_nothing_is_random() -> None:
    assert not depends_on_the_seed(GaussianBlur())


@pytest.mark.parametrize("shape", [(3, 48, 32), (1, 64, 64)])
def test_it_is_a_gaussian_of_the_stated_width(shape: tuple[int, int, int]) -> None:
    images = pictures(4, shape)
    given = Given(Randomness(0, torch.arange(4)))
    blurred = GaussianBlur(strength=0.06).desensitize(images, given).images
    sigma = 0.06 * shape[2]
    # scipy's "mirror" is torch's "reflect"; it cuts at the next whole pixel, hence the tolerance.
    expected = gaussian_filter(images.numpy(), (0, 0, sigma, sigma), mode="mirror", truncate=3.0)
    assert float((blurred - torch.from_numpy(expected)).abs().max()) < 0.5 / 255


def test_both_axes_have_the_same_width_in_pixels() -> None:
    """It is the width of the image that sets it, also along the height."""
    images = pictures(2, (1, 48, 32))
    tall = GaussianBlur(strength=0.05).desensitize(images, Given(Randomness(0, torch.arange(2)))).images
    wide = GaussianBlur(strength=0.05 * 32 / 48).desensitize(
        images.transpose(2, 3), Given(Randomness(0, torch.arange(2)))
    )
    assert torch.allclose(tall, wide.images.transpose(2, 3), atol=1e-6)


def test_the_columns_of_the_matrix_are_weights() -> None:
    for length in (1, 5, 32):
        matrix = blur_matrix(length, 2.0, torch.device("cpu"))
        assert torch.allclose(matrix.sum(dim=0), torch.ones(length, dtype=torch.float64))
        assert float(matrix.min()) >= 0


def test_a_flat_image_stays_as_it_is() -> None:
    images = torch.full((2, 3, 32, 32), 77 / 255)
    released = GaussianBlur(strength=0.3).release(images, seed=0, numbers=torch.arange(2)).images
    assert torch.equal(released, images)


def test_the_same_strength_blurs_more_pixels_of_a_larger_image() -> None:
    def spread(side: int) -> float:
        point = torch.zeros(1, 1, side, side)
        point[0, 0, side // 2, side // 2] = 1
        blurred = GaussianBlur(strength=0.06).desensitize(point, Given(Randomness(0, torch.arange(1)))).images[0, 0]
        across = blurred.sum(dim=0)
        distance = torch.arange(side) - side // 2
        return float((across * distance.square()).sum() / across.sum()) ** 0.5

    # The kernel ends at three standard deviations, which takes 1 to 2 % of its own.
    assert spread(64) == pytest.approx(0.06 * 64, rel=0.03)
    assert spread(32) == pytest.approx(0.06 * 32, rel=0.03)


@pytest.mark.parametrize("strength", [0, 0.01, -0.1, 1.5])
def test_a_strength_outside_its_range_is_refused(strength: float) -> None:
    with pytest.raises(UsageError, match="strength"):
        GaussianBlur.create({"strength": strength})
