from __future__ import annotations

import pytest
import torch
from maskbench.errors import UsageError
from maskbench.models.unet import UNet, pull_push


@pytest.mark.parametrize("size", [(16, 16), (28, 28), (32, 32), (48, 32), (17, 23)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_comes_back(size: tuple[int, int], channels: int) -> None:
    network = UNet(channels + 1, channels).eval()
    images, masks = torch.rand(2, channels, *size), torch.ones(2, 1, *size)
    restored = network(images, masks)
    assert restored.shape == images.shape and restored.min() >= 0 and restored.max() <= 1
    assert torch.equal(network(images, None), restored)


def test_untrained_it_answers_with_its_guess() -> None:
    images, masks = torch.rand(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) < 0.3).float()
    torch.testing.assert_close(UNet(4, 3).eval()(images, masks), pull_push(images, masks))


def test_too_small_an_image_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 16 px, got 15×32"):
        UNet(2, 1)(torch.zeros(1, 1, 15, 32), None)


@pytest.mark.parametrize("size", [(32, 32), (17, 23)])
def test_pull_push_keeps_kept_pixels_and_fills_a_constant(size: tuple[int, int]) -> None:
    masks = (torch.rand(4, 1, *size, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    images = torch.rand(4, 3, *size)
    assert torch.equal(pull_push(images * masks, masks) * masks, images * masks)
    constant = torch.full((4, 3, *size), 0.7)
    torch.testing.assert_close(pull_push(constant * masks, masks), constant, rtol=0, atol=1e-4)


def test_pull_push_of_nothing_is_nothing() -> None:
    images = torch.rand(1, 3, 32, 32)
    assert torch.equal(pull_push(images, torch.zeros(1, 1, 32, 32)), torch.zeros_like(images))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_answers_as_the_cpu_does() -> None:
    network = UNet(4, 3).eval()
    images, masks = torch.rand(2, 3, 40, 32), (torch.rand(2, 1, 40, 32) < 0.3).float()
    here = network(images, masks)
    torch.testing.assert_close(network.cuda()(images.cuda(), masks.cuda()).cpu(), here, rtol=1e-2, atol=1e-2)
