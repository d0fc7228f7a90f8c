"""Local averages against a loop over pixels."""

from __future__ import annotations

import math

import pytest
import torch
from maskbench.attacks.local_mean import LocalMean, local_mean
from restoration_cases import ALL_KEPT, CPU, SHAPES, released
from torch import Tensor


def by_pixels(image: Tensor, mask: Tensor, support: float) -> Tensor:
    """The definition, for one image C H W."""
    kept = [(y, x) for y, x in mask[0].nonzero().tolist()]
    restored = image.double().clone()
    for y, x in (mask[0] == 0).nonzero().tolist():
        sigma = 0.5
        while True:
            weights = [math.exp(-((y - v) ** 2 + (x - u) ** 2) / (2 * sigma**2)) for v, u in kept]
            if sum(weights) >= support:
                break
            sigma *= math.sqrt(2)
        values = torch.stack([image[:, v, u].double() for v, u in kept], dim=1)
        restored[:, y, x] = values @ torch.tensor(weights, dtype=torch.float64) / sum(weights)
    return restored.float()


@pytest.mark.parametrize("support", [0.05, 0.3, 0.5])
def test_every_pixel_is_the_average_it_should_be(support: float) -> None:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(3, 2, 9, 13, generator=generator)
    masks = (torch.rand(3, 1, 9, 13, generator=generator) < torch.tensor([0.5, 0.2, 0.03]).view(3, 1, 1, 1)).float()
    restored = local_mean(images, masks, support)
    for ours, image, mask in zip(restored, images, masks, strict=True):
        assert torch.allclose(ours, by_pixels(image, mask, support), atol=1e-6)


@pytest.mark.parametrize("corner", [(0, 0), (47, 31)])
def test_one_kept_pixel_colours_all(corner: tuple[int, int]) -> None:
    masks = torch.zeros(1, 1, 48, 32)
    masks[0, 0, corner[0], corner[1]] = 1
    colour = torch.tensor([0.2, 0.6, 1.0]).view(1, 3, 1, 1)
    for support in (0.05, 0.5):
        restored = local_mean(colour.expand(1, 3, 48, 32), masks, support)
        assert torch.allclose(restored, colour.expand(1, 3, 48, 32), atol=1e-6)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    release = released(SHAPES[1])
    whole = LocalMean().restored(release, CPU)
    monkeypatch.setattr("maskbench.attacks.local_mean._BLOCK_CPU", 2 * 3 * 32 * 32)
    assert torch.equal(LocalMean().restored(release, CPU), whole)
    assert torch.equal(whole[ALL_KEPT], release.images[ALL_KEPT])
