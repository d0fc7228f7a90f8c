"""Restoration learned on the attacker's own pictures, raw and released: adaptive to any method."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from maskbench import Aux, LearnsFrom, Release, RestorationAttack, UNet, restore, train_restorer
from pydantic import Field
from torch import Tensor


class Restorer(RestorationAttack):
    """A U-Net trained to undo the method, on pairs of raw and released pictures of the attacker's."""

    name: ClassVar[str] = "restorer"
    source: ClassVar[str] = "1505.04597 (U-Net); 1609.00408 (restoration learned on pairs)"
    learns_from: ClassVar[LearnsFrom] = "pairs"

    width: int = Field(24, ge=4, description="channels of the U-Net's first level")

    def fit(self, aux: Aux) -> Any:
        channels = aux.train.raw_bytes.shape[1]
        network = UNet(channels + 1, channels, width=self.width)
        train_restorer(
            network,
            aux.train.release.image_bytes,
            aux.train.release.mask_bytes,
            aux.train.raw_bytes,
            training=aux.training,
            flip=aux.mirror,
            seed=aux.seed,
            device=aux.device,
            progress=aux.progress,
        )
        return network, aux.mirror

    def restore(self, release: Release, device: torch.device) -> Tensor:
        network, mirror = self.state
        return restore(network, release.image_bytes, release.mask_bytes, device=device, flip=mirror)
