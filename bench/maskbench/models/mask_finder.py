"""A network that finds which pixels of a released image are hidden."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maskbench.models.unet import UNet

_NEIGHBOURS = [(row, column) for row in range(3) for column in range(3) if (row, column) != (1, 1)]
_OUTSIDE = -1.0  # no pixel has this value


class MaskFinder(nn.Module):
    """The restorer's U-Net, shown where neighbours are exactly alike too: a constant fill gives itself away."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.network = UNet(channels + 2, 1)

    def forward(self, released: Tensor, masks: Tensor | None = None) -> Tensor:
        """Map float32 images (N, C, H, W) in [0, 1] to scores (N, 1, H, W): above 0 where a pixel is more likely kept.

        In training the score is a logit; afterwards it is cut off at 0 and 1, which leaves its sign. ``masks`` is there
        for the loops that call networks with both, and is never looked at.
        """
        return self.network(torch.cat([released, like_neighbours(released)], dim=1), None)


def like_neighbours(images: Tensor) -> Tensor:
    """Share of a pixel's eight neighbours that have exactly its colour: (N, C, H, W) → (N, 1, H, W) in [0, 1]."""
    height, width = images.shape[2:]
    padded = F.pad(images, [1] * 4, value=_OUTSIDE)
    alike = torch.zeros_like(images[:, :1])
    for row, column in _NEIGHBOURS:
        alike += (padded[:, :, row : row + height, column : column + width] == images).all(dim=1, keepdim=True)
    return alike / len(_NEIGHBOURS)
