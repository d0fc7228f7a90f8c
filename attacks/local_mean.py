"""Local averages of what is kept, over a neighbourhood as large as it takes."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from maskbench import Release, RestorationAttack
from pydantic import Field
from torch import Tensor

_GREY = 0.5  # where nothing at all is kept there is nothing to average
_FIRST_WIDTH = 0.5  # pixels; a direct neighbour weighs 0.14
_GROWTH = math.sqrt(2)  # twice the area a step
# Elements of images worked on at once: a small part of the memory of a computer or of a GPU.
_BLOCK_CPU, _BLOCK_CUDA = 2**18, 2**24


class LocalMean(RestorationAttack):
    """Fill every hidden pixel with a Gaussian average of the kept ones around it, as narrow as it can be."""

    name: ClassVar[str] = "local-mean"
    source: ClassVar[str] = "Knutsson and Westin 1993, Normalized and differential convolution (normalised averaging)"
    needs_masks: ClassVar[bool] = True

    # At most 0.5: a Gaussian as wide as the image weighs its farthest pixel with 0.6, so one kept pixel is enough.
    support: float = Field(
        0.3,
        gt=0,
        le=0.5,
        description="weight of kept pixels in sight (one at distance 0 weighs 1) from which an average is taken",
    )

    def restore(self, release: Release, device: torch.device) -> Tensor:
        elements = _BLOCK_CUDA if device.type == "cuda" else _BLOCK_CPU
        block = max(1, elements // release.images.shape[1:].numel())
        parts = [
            local_mean(images.to(device), masks.to(device), self.support).cpu()
            for images, masks in zip(release.images.split(block), release.kept.split(block), strict=True)
        ]
        return torch.cat(parts)


def local_mean(images: Tensor, masks: Tensor, support: float) -> Tensor:
    """Average kept pixels with Gaussian weights, of the narrowest width at which they weigh ``support`` in sum.

    Widths are σ = 0.5·√2ᵏ pixels, and each hidden pixel has its own k. The image's border cuts the window off.

    Args:
        images: float32 (N, C, H, W); what they show where the mask is 0 is not looked at.
        masks: (N, 1, H, W), 1 = kept.

    Returns:
        float32 (N, C, H, W) in [0, 1], with kept pixels as they are; 0.5 in images that keep none.
    """
    height, width = images.shape[2:]
    # In float64, whose sums no device rounds to the ten bits of TF32.
    kept = torch.cat([images * masks, masks], dim=1).double()
    restored = torch.where(masks == 1, images.double(), _GREY)
    unknown = masks == 0
    for sigma in _widths(height, width):
        sums = _gaussian(height, sigma, kept) @ kept @ _gaussian(width, sigma, kept)
        weight = sums[:, -1:]
        enough = unknown & (weight >= support)
        restored = torch.where(enough, sums[:, :-1] / weight, restored)
        unknown = unknown & ~enough
    return restored.float().clamp(0, 1)


def _widths(height: int, width: int) -> list[float]:
    """Growing standard deviations in pixels, up to the image's diagonal."""
    steps = math.ceil(math.log(math.hypot(height, width) / _FIRST_WIDTH, _GROWTH))
    return [_FIRST_WIDTH * _GROWTH**step for step in range(steps + 1)]


def _gaussian(size: int, sigma: float, like: Tensor) -> Tensor:
    """The filter of one axis as a matrix (size, size), 1 on its diagonal: one product does all images at once."""
    place = torch.arange(size, dtype=like.dtype, device=like.device)
    return torch.exp(-0.5 * ((place[:, None] - place) / sigma).square())
