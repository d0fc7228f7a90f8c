"""What stands where a mask hides: chosen by ``fill=`` for any mask method."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from maskbench.randomness import Randomness


def zero(images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
    """Black."""
    return torch.zeros_like(images)


def mean(images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
    """The mean of the kept pixels of the image, per channel; mid-grey where nothing is kept."""
    kept = masks.sum(dim=(2, 3), keepdim=True)
    colour = (images * masks).sum(dim=(2, 3), keepdim=True) / kept.clamp(min=1)
    return torch.where(kept > 0, colour, 0.5).expand_as(images)


def noise(images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
    """Uniform noise, independent of the image."""
    return rng.uniform(*images.shape[1:])


def blur(images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
    """The image blurred with σ = 1/16 of its shorter side: it shows the hidden content at low resolution."""
    from torchvision.transforms.v2.functional import gaussian_blur  # a second to import, and rarely used

    sigma = min(images.shape[-2:]) / 16
    kernel = 2 * round(2 * sigma) + 1
    return gaussian_blur(images, [kernel, kernel], [sigma, sigma]).clamp(0, 1)


FILLS: dict[str, Callable[[Tensor, Tensor, Randomness], Tensor]] = {
    function.__name__: function for function in (zero, mean, noise, blur)
}
