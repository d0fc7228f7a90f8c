"""A restoration beside what it should be, for the metrics that are measured image by image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from maskbench.metrics.image import Closeness, closeness


@dataclass(frozen=True)
class Comparison:
    """Restorations beside what they should be: float32 (N, C, H, W) in [0, 1], on one device.

    Attributes:
        masks: (N, 1, H, W), 1 = kept; None where the method has none: then all of an image was changed, and the hole is
            the whole.
        perceptual: the network that LPIPS looks through, where there is one.
    """

    restored: Tensor
    released: Tensor
    raw: Tensor
    masks: Tensor | None = None
    perceptual: nn.Module | None = None

    @cached_property
    def close(self) -> Closeness:
        """PSNR and SSIM, over the whole and the hole, in one pass.

        The whole as a hole follows the rule of holes: borders count.
        """
        return closeness(self.restored, self.raw, self.hole)

    @property
    def hole(self) -> Tensor:
        """The masks; all hidden where the method has none."""
        return torch.zeros_like(self.raw[:, :1]) if self.masks is None else self.masks
