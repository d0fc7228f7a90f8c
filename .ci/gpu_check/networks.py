"""The networks and images that the parts measure with."""

from __future__ import annotations

import torch
from maskbench.models.recognizer import ImageOnly
from maskbench.models.recognizers import build
from maskbench.randomness import seeded
from torch import Tensor

CLASSES = 10
SIDE = 32


def recognizer(name: str) -> ImageOnly:
    """A recognizer of 32 px images, with the weights of one seed."""
    with seeded(0):
        return ImageOnly(build(name, channels=3, classes=CLASSES, size=(SIDE, SIDE)))


def images(count: int) -> tuple[Tensor, Tensor]:
    """Smooth images that tell their class by their colour: uint8 (N, 3, 32, 32) and labels (N,)."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % CLASSES
    colours = torch.rand(CLASSES, 3, 4, 4, generator=generator)
    coarse = 0.7 * colours[labels] + 0.3 * torch.rand(count, 3, 4, 4, generator=generator)
    shown = torch.nn.functional.interpolate(coarse, size=SIDE, mode="bilinear")
    return (shown * 255).round().to(torch.uint8), labels
