"""Pixelation with the noise of differential privacy."""

from __future__ import annotations

from typing import ClassVar, Self

import torch
from maskbench import Given, Method, NoisyMap, Randomness, Release
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional as F

_GREY_LEVELS = 255.0
_ROUNDS_AWAY = 0.1  # grey levels; noise of this scale moves a mean by half a level or more once in 150 times
_SMALL = 100.0  # a budget that may be used up where even the pixels to be hidden round away


class DpPix(Method):
    """Replace each block by its mean plus Laplace noise (differentially private pixelation).

    The noise of a block of b × b pixels has the scale 255 · m / (b² · epsilon) on the 0 to 255 scale, and the sum is
    clipped. Images that differ in at most ``m`` pixels are then epsilon-indistinguishable, channel by channel: a
    colour image as a whole gets three times epsilon. Blocks cut off by the image's edge are means of fewer pixels and
    get more noise for it.
    """

    name: ClassVar[str] = "dp-pix"
    source: ClassVar[str] = "Fan 2018, Image Pixelization with Differential Privacy (DBSec)"
    mirror_symmetric: ClassVar[bool] = True

    block: int = Field(4, ge=1, description="side of a block in pixels")
    epsilon: float = Field(1.0, gt=0, description="privacy budget of a channel")
    m: int = Field(4, ge=1, description="how many pixels may differ between images that shall look alike")

    @model_validator(mode="after")
    def _budget_means_something(self) -> Self:
        most = max(_GREY_LEVELS * self.m / (self.block**2 * _ROUNDS_AWAY), _SMALL)
        if self.epsilon > most:
            raise ValueError(
                f"epsilon={self.epsilon:g} leaves no noise that eight bits show: for block={self.block} and m={self.m} "
                f"choose at most {most:.4g}"
            )
        return self

    def claimed_epsilon(self) -> tuple[float, str]:
        return self.epsilon, f"differ in at most {self.m} pixels (each channel by itself)"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        channels, height, width = images.shape[1:]
        means = block_means(images, self.block)
        scale = noise_scale((height, width), self.block, self.epsilon, self.m).to(images.device)
        noisy = (means + laplace_noise(given.rng, channels, scale)).clamp(0, _GREY_LEVELS) / _GREY_LEVELS
        # What lies outside the image costs memory too, and a block may be larger by any factor.
        whole = noisy.repeat_interleave(min(self.block, height), dim=2).repeat_interleave(min(self.block, width), dim=3)
        return Release(whole[:, :, :height, :width].to(torch.float32))

    def noisy_map(self, height: int, width: int) -> NoisyMap:
        pixels = torch.eye(height * width, dtype=torch.float64).view(-1, 1, height, width)
        sides = min(self.block, height), min(self.block, width)
        means = F.avg_pool2d(pixels, sides, ceil_mode=True, count_include_pad=False)
        scale = noise_scale((height, width), self.block, self.epsilon, self.m) / _GREY_LEVELS
        rows, columns = (torch.arange(length) // self.block for length in (height, width))
        shown = rows[:, None] * scale.shape[1] + columns[None, :]
        return NoisyMap(means.flatten(1).T, scale.flatten(), shown.flatten())


def block_means(images: Tensor, block: int) -> Tensor:
    """Means of blocks, of what is there of them at the right and lower edge.

    Args:
        images: float32 N C H W in [0, 1], on the 8-bit grid.

    Returns:
        float64 N C ceil(H / block) ceil(W / block), 0 to 255: quotients of integers, the same on every device.
    """
    levels = (images.to(torch.float64) * _GREY_LEVELS).round()
    sides = min(block, levels.shape[2]), min(block, levels.shape[3])
    return F.avg_pool2d(levels, sides, ceil_mode=True, count_include_pad=False)


def noise_scale(size: tuple[int, int], block: int, epsilon: float, m: int) -> Tensor:
    """The Laplace scale of each block: 255 · m / (pixels in the block · epsilon).

    A pixel moves the mean of its block by at most 255 / pixels, which is 1 / m of the block's scale times epsilon; m
    pixels, wherever they lie, use up epsilon (Fan 2018, theorem on DP pixelization).

    Returns:
        float64, ceil(H / block) × ceil(W / block), on the 0 to 255 scale.
    """
    heights, widths = (_block_sides(length, block) for length in size)
    return _GREY_LEVELS * m / (heights[:, None] * widths[None, :] * epsilon)


def laplace_noise(rng: Randomness, channels: int, scale: Tensor) -> Tensor:
    """Independent Laplace noise for each image, channel and block: float64 N C h w, from ``scale`` of h w."""
    return rng.laplace(channels, *scale.shape).to(torch.float64) * scale


def _block_sides(length: int, block: int) -> Tensor:
    return torch.tensor([min(block, length - start) for start in range(0, length, block)], dtype=torch.float64)
