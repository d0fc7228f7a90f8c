"""Masks from edges: what a mask that needs no network can do."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Given, MaskMethod, to_bytes
from torch import Tensor
from torch.nn import functional as F


class Sobel(MaskMethod):
    """Keep the strongest edges: a saliency control without any network."""

    name: ClassVar[str] = "sobel"
    mirror_symmetric: ClassVar[bool] = True
    source: ClassVar[str] = "1810.03292 (an edge detector as a control); Sobel and Feldman 1968"

    def scores(self, images: Tensor, given: Given) -> Tensor:
        return edge_magnitude(images)


def edge_magnitude(images: Tensor) -> Tensor:
    """Length of the Sobel gradient over both directions and all channels: N C H W in [0, 1] → N 1 H W, in 8-bit steps.

    Computed on whole numbers, which every device and batch size sums alike. The border is repeated.
    """
    levels = F.pad(to_bytes(images).to(torch.float32), (1, 1, 1, 1), mode="replicate")
    across = levels.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    kernels = torch.stack([across, across.T]).unsqueeze(1)
    gradients = F.conv2d(levels.flatten(0, 1).unsqueeze(1), kernels).view(*images.shape[:2], 2, *images.shape[2:])
    return gradients.square().sum(dim=(1, 2)).unsqueeze(1).sqrt()
