"""Restoration learned on the attacker's own pictures by LaMa's network, from nothing or from LaMa's weights."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from maskbench import Aux, LearnsFrom, Release, RestorationAttack, restore, train_restorer
from pydantic import Field
from torch import Tensor

from ._fourier import FourierGenerator, RestoringGenerator
from ._fourier_weights import load_generator

_FINE_TUNING_RATE = 1e-3  # at most, with weights: what LaMa's generator was trained with (2109.07161, appendix A)

_MIRROR = "mirror"  # in the state: whether a mirror image is as good, so that both are restored


class FourierRestorer(RestorationAttack):
    """LaMa's network (fast Fourier convolutions) trained to undo the method, on pairs of the attacker's pictures."""

    name: ClassVar[str] = "fourier-restorer"
    source: ClassVar[str] = "2109.07161 (LaMa); 1609.00408 (restoration learned on pairs)"
    learns_from: ClassVar[LearnsFrom] = "pairs"
    paths: ClassVar[tuple[str, ...]] = ("weights",)

    width: int = Field(16, ge=4, description="channels of the first layer")
    downsamplings: int = Field(1, ge=1, le=4, description="times that the image is halved before the residual blocks")
    blocks: int = Field(3, ge=1, description="residual blocks")
    weights: str = Field(
        "", description="file to start from (safetensors, checkpoint, or big-lama.pt); it decides the network's size"
    )

    def files(self) -> tuple[Path, ...]:
        return (Path(self.weights).expanduser(),) if self.weights else ()

    def unavailable(self) -> str | None:
        missing = [file.name for file in self.files() if not file.is_file()]
        return f"there is no file {missing[0]}: name one of LaMa's weights with weights=" if missing else None

    def fit(self, aux: Aux) -> dict[str, Tensor]:
        network, training = self._network(aux.train.raw_bytes.shape[1]), aux.training
        if self.weights:
            rate = min(training.learning_rate, _FINE_TUNING_RATE)
            training = training.model_copy(update={"learning_rate": rate})
        train_restorer(
            network,
            aux.train.release.image_bytes,
            aux.train.release.mask_bytes,
            aux.train.raw_bytes,
            training=training,
            flip=aux.mirror,
            seed=aux.seed,
            device=aux.device,
            progress=aux.progress,
            renewed=aux.again,
        )
        return {**network.state_dict(), _MIRROR: torch.tensor(aux.mirror)}

    def _network(self, channels: int) -> RestoringGenerator:
        if self.weights:
            return RestoringGenerator(load_generator(self.files()[0]), guess=False)
        generator = FourierGenerator(
            2 * channels + 1, channels, width=self.width, downsamplings=self.downsamplings, blocks=self.blocks
        )
        return RestoringGenerator(generator, guess=True)

    def restore(self, release: Release, device: torch.device) -> Tensor:
        network = self._network(release.image_bytes.shape[1])
        network.load_state_dict({name: tensor for name, tensor in self.state.items() if name != _MIRROR})
        mirror = bool(self.state[_MIRROR])
        return restore(network, release.image_bytes, release.mask_bytes, device=device, flip=mirror)
