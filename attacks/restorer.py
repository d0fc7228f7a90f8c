"""Restoration learned on the attacker's own pictures, raw and released: adaptive to any method."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Aux, LearnsFrom, Release, RestorationAttack, UNet, restore, train_restorer
from pydantic import Field
from torch import Tensor

_MIRROR = "mirror"  # in the state: whether a mirror image is as good, so that both are restored


class Restorer(RestorationAttack):
    """A U-Net trained to undo the method, on pairs of raw and released pictures of the attacker's."""

    name: ClassVar[str] = "restorer"
    source: ClassVar[str] = "1505.04597 (U-Net); 1609.00408 (restoration learned on pairs)"
    learns_from: ClassVar[LearnsFrom] = "pairs"

    width: int = Field(24, ge=4, description="channels of the U-Net's first level")

    def fit(self, aux: Aux) -> dict[str, Tensor]:
        network = self._network(aux.train.raw_bytes.shape[1])
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
            renewed=aux.again,
        )
        return {**network.state_dict(), _MIRROR: torch.tensor(aux.mirror)}

    def _network(self, channels: int) -> UNet:
        return UNet(channels + 1, channels, width=self.width)

    def restore(self, release: Release, device: torch.device) -> Tensor:
        network = self._network(release.image_bytes.shape[1])
        network.load_state_dict({name: tensor for name, tensor in self.state.items() if name != _MIRROR})
        mirror = bool(self.state[_MIRROR])
        return restore(network, release.image_bytes, release.mask_bytes, device=device, flip=mirror)
