"""One paragraph: how the attack restores what was hidden."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Release, RestorationAttack
from pydantic import Field
from torch import Tensor


class NewAttack(RestorationAttack):
    """Fill every hole with one grey."""  # `maskbench list attacks` shows this line

    name: ClassVar[str] = "new-attack"  # what is typed after --attack
    source: ClassVar[str] = "maskbench"  # or the paper: arXiv number, section or equation

    # A parameter: typed, checked, set by --attack new-attack:grey=0.3, and part of every cache key.
    grey: float = Field(0.5, ge=0, le=1, description="what stands in the holes")

    # release.images: float32 (N, C, H, W) in [0, 1]; release.masks: (N, 1, H, W), 1 = kept, or None where the method
    # releases none (set needs_masks: ClassVar[bool] = True to run against mask methods alone). Answer on the CPU.
    def restore(self, release: Release, device: torch.device) -> Tensor:
        if release.masks is None:
            return release.images
        return torch.where(release.masks == 1, release.images, self.grey)

    # An attack that learns implements fit(self, aux): aux.train has raw pictures of the attacker's own and what the
    # method makes of them. Whatever fit returns is there as self.state.
