"""Looking at what is kept alone, as large as the picture."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Adjustment, ImageOnly, Recognizer
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F


class Zoom(Adjustment):
    """The smallest frame around all that is kept is enlarged to the whole picture before the recognizer sees it.

    A recognizer of masked pictures spends most of its places on holes. Where a method keeps places that lie together,
    it can spend them on what is there. The frame has the proportions of the picture. Masks that reach every border, as
    random ones do, leave nothing to enlarge.
    """

    name: ClassVar[str] = "zoom"
    source: ClassVar[str] = "maskbench"
    needs_masks: ClassVar[bool] = True

    shift: float = Field(0.1, ge=0, lt=1, description="in training, share of its side by which the frame is moved")

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return Zoomed(ImageOnly(recognizer), self.shift)


class Zoomed(nn.Module):
    """A network that sees the frame around what each mask keeps, enlarged to the size of the picture."""

    def __init__(self, network: nn.Module, shift: float) -> None:
        super().__init__()
        self.network = network
        self.shift = shift

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        """Logits N × classes of float32 images N C H W and masks N 1 H W (none: everything was kept)."""
        if masks is None:
            return self.network(images, None)
        across, along = _extent(masks.amax(2)[:, 0]), _extent(masks.amax(3)[:, 0])
        scale = torch.maximum(across[1], along[1])  # one for both sides: proportions stay
        centres = torch.stack([across[0], along[0]], dim=1)
        if self.training:
            # The engine moves picture and mask together, which the frame would undo.
            centres = centres + 2 * self.shift * scale[:, None] * (torch.rand_like(centres) - 0.5)
        theta = torch.cat([torch.diag_embed(scale[:, None].expand(-1, 2)), centres[:, :, None]], dim=2)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        return self.network(F.grid_sample(images, grid, padding_mode="border", align_corners=False), None)


def _extent(kept: Tensor) -> tuple[Tensor, Tensor]:
    """Centre and half length, in coordinates from −1 to 1, of what is kept along a side: (N,) each, of (N, length).

    All of the side where nothing is kept.
    """
    length = kept.shape[1]
    kept = torch.where(kept.amax(1, keepdim=True) > 0, kept, torch.ones_like(kept))
    places = torch.arange(length, device=kept.device)
    first = torch.where(kept > 0, places, length).amin(1)
    last = torch.where(kept > 0, places, -1).amax(1) + 1
    return (first + last) / length - 1, (last - first) / length
