"""The classification networks of torchvision, by their names."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torchvision
from pydantic import Field, field_validator
from torch import nn

from maskbench.errors import UsageError, unknown
from maskbench.models.architecture import Architecture
from maskbench.models.backbone import (
    adapt_input,
    find_feature_layers,
    imagenet_statistics,
    ordinary_activations,
)
from maskbench.models.recognizer import Recognizer
from maskbench.models.weights import load_weights

AUXILIARY = ("googlenet", "inception_v3")
"""Backbones with auxiliary classifiers, which return tuples in training and need large images. Their own truncated
normal initialisation takes seconds; with batch normalisation torch's ordinary one serves."""

AUXILIARY_PREFIXES = ("aux1.", "aux2.", "AuxLogits.")

UNSUITABLE = (ValueError, RuntimeError, AssertionError)
"""What torchvision raises, while building or running, for a size that a backbone cannot take."""


class Torchvision(Architecture):
    """any torchvision classification backbone, e.g. network=mobilenet_v3_small; weights=FILE loads weights"""

    name: ClassVar[str] = "torchvision"
    source: ClassVar[str] = "torchvision"
    paths: ClassVar[tuple[str, ...]] = ("weights",)

    network: str = Field("mobilenet_v3_small", description="torchvision's name of the backbone")
    weights: str = Field("", description="file of a state dict (safetensors, or from torch.save); none: random weights")

    @field_validator("network")
    @classmethod
    def _known_network(cls, value: str) -> str:
        valid = torchvision.models.list_models(module=torchvision.models)
        if value not in valid:
            raise unknown("torchvision classification backbone", value, valid)
        return value

    def label(self, leave_out: tuple[str, ...] = ()) -> str:
        """With the network even where it is the default: it is what a reader of a table looks for."""
        given = {key: value for key, value in self.model_dump().items() if value and key not in leave_out}
        return self.shown(given)

    def files(self) -> tuple[Path, ...]:
        return (Path(self.weights).expanduser(),) if self.weights else ()

    def unavailable(self) -> str | None:
        missing = [file.name for file in self.files() if not file.is_file()]
        return f"there is no weights file {missing[0]}: name one with weights=" if missing else None

    def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
        refusal = f"Recognizer '{self.label()}' cannot take {size[0]}×{size[1]} images"
        try:
            network = torchvision.models.get_model(
                self.network, weights=None, num_classes=classes, **_options(self.network, size)
            )
        except UNSUITABLE as error:
            raise UsageError(f"{refusal}: {_first_line(error)}") from error
        for file in self.files():
            load_weights(network, file, classes=classes, ignored=AUXILIARY_PREFIXES)
        adapt_input(network, channels)
        ordinary_activations(network)
        mean, std = imagenet_statistics(channels)
        return Recognizer(
            network,
            feature_layers=[f"network.{layer}" for layer in _feature_layers(network, channels, size, refusal)],
            mean=mean,
            std=std,
        )


def _options(architecture: str, size: tuple[int, int]) -> dict[str, object]:
    """Return what some families must be told at construction."""
    if architecture in AUXILIARY:
        return {"aux_logits": False, "init_weights": False}
    if architecture.startswith("vit_"):
        return {"image_size": size[0]}
    if architecture.startswith("maxvit"):
        return {"input_size": size}
    return {}


def _feature_layers(network: nn.Module, channels: int, size: tuple[int, int], refusal: str) -> list[str]:
    try:
        layers = find_feature_layers(network, channels, size)
    except UNSUITABLE as error:
        raise UsageError(f"{refusal}: {_first_line(error)}") from error
    if not layers:
        raise UsageError(f"{refusal}: it has no feature map at this size.")
    return layers


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
