"""Hiding more in training than the release hides."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import ActsOn, Adjustment, ImageOnly, Recognizer
from pydantic import Field
from torch import Tensor, nn


class MaskDropout(Adjustment):
    """In training, hide some of what the release keeps, another part each time; from little to much with a warm-up.

    Nothing more is hidden when the recognizer is asked. What is hidden here becomes 0, whatever the method fills its
    own holes with.
    """

    name: ClassVar[str] = "mask-dropout"
    source: ClassVar[str] = "our reading of 1708.04896 (random erasing) and of curricula over its share"
    acts_on: ClassVar[ActsOn] = "batches"
    needs_masks: ClassVar[bool] = True

    share: float = Field(0.25, gt=0, lt=1, description="of the places that is hidden on average")
    unit: int = Field(4, ge=1, description="side in pixels of what is hidden as one")
    warm_up: int = Field(0, ge=0, description="training steps over which the share rises from nothing; 0: at once")

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return self.around(ImageOnly(recognizer), recognizer, teacher)

    def around(self, network: nn.Module, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return DroppedMasks(network, self.share, self.unit, self.warm_up)


class DroppedMasks(nn.Module):
    """A network that sees less than there is while it is trained.

    Everything that changes from step to step is a tensor, so that steps can be recorded and replayed on a GPU.
    """

    step: Tensor

    def __init__(self, network: nn.Module, share: float, unit: int, warm_up: int) -> None:
        super().__init__()
        self.network = network
        self.share, self.unit, self.warm_up = share, unit, warm_up
        self.register_buffer("step", torch.zeros(()))

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        """Logits N × classes of float32 images N C H W and masks N 1 H W (none: everything was kept)."""
        if not self.training:
            return self.network(images, masks)
        masks = torch.ones_like(images[:, :1]) if masks is None else masks
        count, _, height, width = images.shape
        share: float | Tensor = self.share
        if self.warm_up:
            share = self.share * (self.step / self.warm_up).clamp(max=1)
            self.step += 1
        rows, columns = -(-height // self.unit), -(-width // self.unit)
        kept = (torch.rand(count, 1, rows, columns, device=images.device) >= share).to(images.dtype)
        whole = kept.repeat_interleave(min(self.unit, height), 2).repeat_interleave(min(self.unit, width), 3)
        whole = whole[:, :, :height, :width]
        return self.network(images * whole, masks * whole)
