"""ResNet-18, with a stem that suits the size of the images."""

from __future__ import annotations

from typing import ClassVar

from torch import nn
from torchvision.models import resnet18

from maskbench.errors import UsageError
from maskbench.models.architecture import Architecture
from maskbench.models.backbone import imagenet_statistics, ordinary_activations
from maskbench.models.recognizer import Recognizer

CIFAR_STEM_SIZE = 64
"""Largest image side in pixels for which the standard stem, which divides by four, throws away too much."""

MINIMUM_SIZE = 16
"""Smallest image side in pixels: the last stage then has 2 × 2 positions."""


class Resnet18(Architecture):
    """torchvision's ResNet-18; up to 64 px with the CIFAR stem (3×3, stride 1, no max pooling)"""

    name: ClassVar[str] = "resnet18"
    source: ClassVar[str] = "1512.03385, section 4.2"

    def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
        if min(size) < MINIMUM_SIZE:
            raise UsageError(
                f"Recognizer '{self.name}' needs images of at least {MINIMUM_SIZE} px, got {size[0]}×{size[1]}."
            )
        network = resnet18(weights=None, num_classes=classes)
        width = network.conv1.out_channels
        if max(size) <= CIFAR_STEM_SIZE:
            network.conv1 = nn.Conv2d(channels, width, 3, stride=1, padding=1, bias=False)
            network.maxpool = nn.Identity()
        else:
            network.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")  # as torchvision does
        mean, std = imagenet_statistics(channels)
        return Recognizer(
            ordinary_activations(network),
            feature_layers=[f"network.layer{number}" for number in range(1, 5)],
            mean=mean,
            std=std,
        )
