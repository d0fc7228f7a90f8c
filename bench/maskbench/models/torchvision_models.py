"""any torchvision classification backbone, e.g. torchvision:mobilenet_v3_small; @FILE loads weights"""

from __future__ import annotations

import torchvision
from torch import nn

from maskbench.errors import UsageError, unknown
from maskbench.models.backbone import (
    adapt_input,
    find_feature_layers,
    imagenet_statistics,
    ordinary_activations,
)
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import weights_file
from maskbench.models.weights import load_weights

RECOGNIZER = "torchvision:NAME"

AUXILIARY = ("googlenet", "inception_v3")
"""Backbones with auxiliary classifiers, which return tuples in training and need large images. Their own truncated
normal initialisation takes seconds; with batch normalisation torch's ordinary one serves."""

AUXILIARY_PREFIXES = ("aux1.", "aux2.", "AuxLogits.")

UNSUITABLE = (ValueError, RuntimeError, AssertionError)
"""What torchvision raises, while building or running, for a size that a backbone cannot take."""


def build(name: str, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
    """Build ``torchvision:NAME`` or ``torchvision:NAME@FILE`` for images of ``size`` (height, width).

    Raises UsageError for a name torchvision does not know, weights that do not fit, and images the backbone
    cannot take.
    """
    architecture = name.partition(":")[2].partition("@")[0]
    valid = torchvision.models.list_models(module=torchvision.models)
    if architecture not in valid:
        raise unknown("torchvision classification backbone", architecture, valid)
    refusal = f"Recognizer '{name}' cannot take {size[0]}×{size[1]} images"
    try:
        network = torchvision.models.get_model(
            architecture, weights=None, num_classes=classes, **_options(architecture, size)
        )
    except UNSUITABLE as error:
        raise UsageError(f"{refusal}: {_first_line(error)}") from error
    file = weights_file(name)
    if file is not None:
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
