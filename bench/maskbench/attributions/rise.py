"""RISE: importance from randomly masked copies of the image."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from maskbench.attributions.algorithm import Algorithm
from maskbench.attributions.random_masking import masked_probabilities
from maskbench.models.recognizer import Recognizer

_CELLS = 7  # cells to a side of the coarse masks, as in the paper
_VISIBLE = 0.5  # share of cells that stay, as in the paper; complements need exactly this
_SEED = 0  # any: it only has to stay the same


def rise_masks(height: int, width: int, count: int) -> Tensor:
    """Smooth random masks, section 3.2: a coarse binary grid, enlarged bilinearly and shifted by less than a cell.

    Every mask comes with its complement (same shift), so that the mean over the masks is exactly 1/2 at every pixel.
    Otherwise a pixel that happens to be visible more often would score higher in every image.

    Returns:
        float32 (count, 1, H, W) in [0, 1]; the same in every call.
    """
    generator = torch.Generator().manual_seed(_SEED)
    half = count // 2
    coarse = (torch.rand((half, 1, _CELLS, _CELLS), generator=generator) < _VISIBLE).to(torch.float32)
    cell = torch.tensor([-(-height // _CELLS), -(-width // _CELLS)])
    enlarged = F.interpolate(coarse, size=[*((_CELLS + 1) * cell)], mode="bilinear", align_corners=False)
    enlarged = enlarged.clamp(0, 1)  # interpolation rounds
    shift = (torch.rand((half, 2), generator=generator) * cell).long()
    rows = shift[:, 0, None] + torch.arange(height)
    columns = shift[:, 1, None] + torch.arange(width)
    masks = enlarged[torch.arange(half)[:, None, None], 0, rows[:, :, None], columns[:, None, :]][:, None]
    return torch.cat([masks, 1 - masks])


class Rise(Algorithm):
    """RISE: the mean of 256 random masks, each weighted with the class's probability when it covers the image.

    What is covered shows the network's neutral colour, as in the authors' code.
    """

    name: ClassVar[str] = "rise"
    source: ClassVar[str] = "1806.07421, equation 6"

    masks: int = Field(
        256, ge=2, multiple_of=2, description="random masks, half of them complements of the others; the paper: 4000"
    )

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        height, width = images.shape[2:]
        masks = rise_masks(height, width, self.masks).to(images)
        probabilities = masked_probabilities(network, images, masks, pass_size)
        # The masks' mean is 1/2 everywhere, so a constant may be taken off and put back: a network whose answers do
        # not change then gives every pixel the same value, free of rounding.
        constant = probabilities[:, :1]
        weighted = (probabilities - constant) @ masks.flatten(1).double() / (_VISIBLE * self.masks)
        return (constant + weighted).view(-1, 1, height, width)
