"""What a release shows without any work: the floor for restoration attacks."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Release, RestorationAttack, mean_fill
from torch import Tensor


class Unrestored(RestorationAttack):
    """No restoration: what the release shows as it is."""

    name: ClassVar[str] = "released"
    cpu_only: ClassVar[bool] = True

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images


class MeanFill(RestorationAttack):
    """Fill every hole with the mean of the image's kept pixels."""

    name: ClassVar[str] = "mean-fill"
    cpu_only: ClassVar[bool] = True
    needs_masks: ClassVar[bool] = True

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return mean_fill(release.images, release.kept)
