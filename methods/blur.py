"""Obfuscation by a low-pass filter."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from maskbench import Given, Method, Release
from pydantic import Field
from torch import Tensor

_REACH = 3  # the kernel ends at this many standard deviations, where 0.3 % of the weight is left


class GaussianBlur(Method):
    """Blur with a Gaussian as wide as a given share of the image.

    The standard deviation is ``strength`` × width in pixels along both axes (0.06 is 1.9 pixels at 32, 3.8 at 64), so
    that one strength means the same at every resolution. The image is continued by reflection at its edges.
    """

    name: ClassVar[str] = "gaussian-blur"
    source: ClassVar[str] = "1609.00408, section 2; 2512.16086 (kernel scaled with the width)"
    deterministic: ClassVar[bool] = True
    mirror_symmetric: ClassVar[bool] = True

    # Below a third of a pixel a Gaussian changes nothing that eight bits show, and the image would pass through raw.
    strength: float = Field(0.06, ge=0.02, le=1, description="standard deviation as a share of the image's width")

    def desensitize(self, images: Tensor, given: Given) -> Release:
        sigma = self.strength * images.shape[3]
        vertical, horizontal = (blur_matrix(length, sigma, images.device) for length in images.shape[2:])
        # In float64 the order in which a device adds up is below the eight bits of the release.
        blurred = vertical.T @ images.to(torch.float64) @ horizontal
        return Release(blurred.clamp(0, 1).to(torch.float32))


def blur_matrix(length: int, sigma: float, device: torch.device) -> Tensor:
    """What a Gaussian with reflection at both ends does to a line of pixels, as a matrix.

    Row i is the blurred image of pixel i, so ``line @ matrix`` is the blurred line. The Gaussian is separable: two
    such products cost 2 · length multiplications a pixel, however wide it is.

    Returns:
        float64, length × length; columns sum to 1.
    """
    from torchvision.transforms.v2.functional import gaussian_blur  # a second to import, and rarely used

    reach = min(math.ceil(_REACH * sigma), length - 1)  # reflection has no more than the line to offer
    points = torch.eye(length, dtype=torch.float64, device=device)[None, :, :]
    return gaussian_blur(points, [2 * reach + 1, 1], [sigma, sigma])[0]
