"""What stands where a mask hides."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench.fills import FILLS, mean_fill
from maskbench.randomness import Randomness
from maskbench.release import to_bytes
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

GOOD = torch.full((2, 3, 12, 12), 0.5)
MASKS = torch.ones(2, 1, 12, 12)


def test_mean_fill_by_hand() -> None:
    released = torch.tensor([[[[0.2, 0.4], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 0.0]]]])
    masks = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 0.0]]]])
    expected = torch.tensor([[[[0.2, 0.4], [0.3, 0.3]]], [[[0.5, 0.5], [0.5, 0.5]]]])
    torch.testing.assert_close(mean_fill(released, masks), expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), channels=st.sampled_from([1, 3]), share=st.floats(0, 1))
def test_mean_fill_keeps_kept_pixels_and_ignores_hidden_ones(seed: int, channels: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    released = torch.rand(3, channels, 12, 13, generator=generator)
    masks = (torch.rand(3, 1, 12, 13, generator=generator) < share).float()
    filled = mean_fill(released, masks)
    kept = (masks == 1).expand_as(released)
    assert torch.equal(filled[kept], released[kept])
    assert torch.equal(filled, mean_fill(released * masks, masks))
    assert filled.min() >= 0
    assert filled.max() <= 1


def test_what_fill_mean_released_is_what_mean_fill_restores() -> None:
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    masks = (torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(1)) < 0.5).float()
    filled = FILLS["mean"](images, masks, Randomness(0, torch.arange(3)))
    assert torch.equal(torch.where(masks == 1, images, filled), mean_fill(images, masks))


@pytest.mark.parametrize("fill", FILLS)
def test_every_fill_has_the_size_and_the_range_of_images(fill: str) -> None:
    images = torch.rand(2, 3, 16, 20, generator=torch.Generator().manual_seed(0))
    filled = FILLS[fill](images, torch.zeros(2, 1, 16, 20), Randomness(0, torch.arange(2)))
    assert filled.shape == images.shape
    assert filled.min() >= 0
    assert filled.max() <= 1


@pytest.mark.parametrize("masks", [MASKS * 0.5, MASKS[:1], MASKS.expand(2, 3, 12, 12), MASKS * float("nan")])
def test_bad_masks_are_refused_by_name(masks: Tensor) -> None:
    with pytest.raises(ValueError, match=r"^masks:"):
        mean_fill(GOOD, masks)


def test_bad_images_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^released:"):
        mean_fill(GOOD + 0.6, MASKS)


@pytest.mark.parametrize("size", [(16, 16), (32, 48), (28, 20)])
def test_blur_is_of_a_sixteenth_of_the_shorter_side(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    sigma = min(size) / 16
    kernel = 2 * round(2 * sigma) + 1
    expected = gaussian_blur(images, [kernel, kernel], [sigma, sigma]).clamp(0, 1)
    assert torch.equal(FILLS["blur"](images, MASKS, Randomness(0, torch.arange(2))), expected)


@pytest.mark.parametrize("size", [(2, 2), (3, 3), (4, 4), (1, 9), (9, 1), (5, 40)])
def test_blur_changes_the_smallest_images_too(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    filled = FILLS["blur"](images, MASKS, Randomness(0, torch.arange(2)))
    assert float((to_bytes(filled) != to_bytes(images)).float().mean()) > 0.9
