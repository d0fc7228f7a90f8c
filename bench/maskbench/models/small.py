"""A small convolutional network."""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar

from pydantic import Field
from torch import nn

from maskbench.errors import UsageError
from maskbench.models.architecture import Architecture
from maskbench.models.recognizer import Recognizer

MINIMUM_SIZE = 16
"""Smallest image side in pixels: the last stage then has 2 × 2 positions."""

WIDTH = 32
"""Channels of the first of four stages; each of the others has twice as many as the one before. The two early strides
keep the wide ones cheap: of nine such networks tried, this was the most accurate of those that train at about
3,000 images/s at 32 px on two cores."""

MEAN, STD = 0.5, 0.25
"""A normalisation for any image: batch normalisation takes care of the rest."""


class Small(Architecture):
    """a small CNN, strided early; for the CPU and 16 to 64 px"""

    name: ClassVar[str] = "small"

    width: int = Field(WIDTH, ge=1, le=1024, description="channels of the first of four stages, each twice as wide")

    def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
        if min(size) < MINIMUM_SIZE:
            raise UsageError(
                f"Recognizer '{self.name}' needs images of at least {MINIMUM_SIZE} px, got {size[0]}×{size[1]}."
            )
        first, second, third, fourth = (self.width * factor for factor in (1, 2, 4, 8))
        stages = OrderedDict(
            stage1=_stage(channels, first, kernel=5, stride=2),
            stage2=_stage(first, second),
            pool2=nn.MaxPool2d(2),
            stage3=_stage(second, third),
            pool3=nn.MaxPool2d(2),
            stage4=_stage(third, fourth),
            pool4=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            head=nn.Linear(fourth, classes),
        )
        return Recognizer(
            nn.Sequential(stages),
            feature_layers=[f"network.stage{number}" for number in range(1, 5)],
            mean=[MEAN] * channels,
            std=[STD] * channels,
        )


def _stage(channels_in: int, channels_out: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )
