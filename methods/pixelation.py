"""Obfuscation by lower resolution."""

from __future__ import annotations

from typing import ClassVar

from maskbench import Given, Method, Release
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F


class Pixelate(Method):
    """Replace each block by its mean: 1/block² of the values stay."""

    name: ClassVar[str] = "pixelate"
    source: ClassVar[str] = "1609.00408, section 2"
    deterministic: ClassVar[bool] = True
    mirror_symmetric: ClassVar[bool] = True

    block: int = Field(4, ge=2, description="side of a block in pixels")

    def desensitize(self, images: Tensor, given: Given) -> Release:
        height, width = images.shape[2:]
        sides = min(self.block, height), min(self.block, width)  # what lies outside the image costs memory too
        coarse = F.avg_pool2d(images, sides, ceil_mode=True, count_include_pad=False)
        whole = coarse.repeat_interleave(sides[0], dim=2).repeat_interleave(sides[1], dim=3)
        return Release(whole[:, :, :height, :width].clamp(0, 1))
