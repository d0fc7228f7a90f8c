"""Pixelation: every block is its mean."""

from __future__ import annotations

import pytest
import torch
from maskbench.plugins.catalogue import create
from obfuscation_checks import SHAPES, pictures

HALF_A_LEVEL = 0.5 / 255 + 1e-6


@pytest.mark.parametrize("shape", [*SHAPES, (3, 30, 21)])
@pytest.mark.parametrize("block", [2, 4, 5])
def test_every_block_is_its_mean(shape: tuple[int, int, int], block: int) -> None:
    shown = pictures(3, shape)
    released = create("method", "pixelate", {"block": block}).release(shown, seed=0, numbers=torch.arange(3)).images
    for top in range(0, shape[1], block):
        for left in range(0, shape[2], block):
            cut = (slice(None), slice(None), slice(top, top + block), slice(left, left + block))
            mean = shown[cut].mean(dim=(2, 3), keepdim=True).expand_as(released[cut])
            torch.testing.assert_close(released[cut], mean, atol=HALF_A_LEVEL, rtol=0)


def test_a_block_as_large_as_an_image_may_be_any_larger() -> None:
    images = pictures(2, (3, 30, 21))
    whole, larger = (
        create("method", "pixelate", {"block": block}).release(images, seed=0, numbers=torch.arange(2)).images
        for block in (30, 99_999)
    )
    assert torch.equal(whole, larger)
