"""What stands where a mask hides: chosen by ``fill=`` for any mask method; and what anyone can put there instead."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from maskbench.checks import check_images, check_masks
from maskbench.randomness import Randomness

_UNKNOWN = 0.5  # the middle of [0, 1], where nothing is kept that could tell better


def zero(images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
    """Black."""
    return torch.zeros_like(images)


def mean(images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
    """The mean of the kept pixels of the image, per channel; mid-grey where nothing is kept."""
    return _mean_of_kept(images, masks).expand_as(images)


def noise(images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
    """Uniform noise, independent of the image."""
    return rng.uniform(*images.shape[1:])


def blur(images: Tensor, masks: Tensor, rng: Randomness) -> Tensor:
    """The image blurred with σ = 1/16 of its shorter side, at least a pixel: it shows what is hidden, but coarsely."""
    from torchvision.transforms.v2.functional import gaussian_blur  # a second to import, and rarely used

    height, width = images.shape[-2:]
    # Below a pixel a Gaussian changes next to nothing, and what is hidden would be shown as it is.
    sigma = max(min(height, width) / 16, 1.0)
    across, down = (2 * min(round(2 * sigma), side - 1) + 1 for side in (width, height))
    return gaussian_blur(images, [across, down], [sigma, sigma]).clamp(0, 1)


FILLS: dict[str, Callable[[Tensor, Tensor, Randomness], Tensor]] = {
    function.__name__: function for function in (zero, mean, noise, blur)
}


def mean_fill(released: Tensor, masks: Tensor) -> Tensor:
    """Replace each hidden pixel by the mean of its image's kept pixels, a channel at a time.

    The baseline of the metric ``gain``: what anyone restores without knowing anything. 0.5 where nothing is kept.

    Args:
        released: float32 or float64 (N, C, H, W) in [0, 1].
        masks: (N, 1, H, W), 1 = kept and 0 = hidden.

    Returns:
        Images (N, C, H, W) in [0, 1]; kept pixels are untouched.

    Raises:
        ValueError: other shapes or values; the message names the argument.
    """
    check_images(released=released)
    hidden = check_masks(masks, released)
    # Rounding can carry the mean of values in [0, 1] just over 1.
    colour = _mean_of_kept(released, (~hidden).to(released.dtype)).clamp(0.0, 1.0)
    return torch.where(hidden, colour, released)


def _mean_of_kept(images: Tensor, masks: Tensor) -> Tensor:
    """The mean of the kept pixels of each image and channel, (N, C, 1, 1)."""
    kept = masks.sum(dim=(2, 3), keepdim=True)
    colour = (images * masks).sum(dim=(2, 3), keepdim=True) / kept.clamp(min=1)
    return torch.where(kept > 0, colour, _UNKNOWN)
