"""Occlusion, through Captum."""

from __future__ import annotations

from typing import ClassVar

import captum.attr
import torch
from pydantic import Field
from torch import Tensor

from maskbench.attributions.algorithm import Algorithm
from maskbench.attributions.logits import predicted_classes
from maskbench.models.recognizer import Recognizer


class Occlusion(Algorithm):
    """By how much the class's logit falls when a square is covered with the network's neutral colour.

    The square is a quarter of the shorter side and moves by half of its own. A pixel's value is the mean over the
    squares that cover it. Signed: what speaks against the class comes last.
    """

    name: ClassVar[str] = "occlusion"
    source: ClassVar[str] = "1311.2901, section 4.2"

    windows: int = Field(
        4,
        ge=1,
        description="squares to the shorter side, half overlapping: 4 make 7 × 7 positions on a square",
    )

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        channels, height, width = images.shape[1:]
        side = max(min(height, width) // self.windows, 1)
        step = max(side // 2, 1)
        with torch.no_grad():
            attribution = captum.attr.Occlusion(network).attribute(
                images,
                target=predicted_classes(network, images),
                sliding_window_shapes=(channels, side, side),
                strides=(channels, step, step),
                baselines=network.mean.to(images).expand(1, channels, height, width),
                perturbations_per_eval=pass_size // len(images),
            )
        return attribution[:, :1]  # the square covers all channels, so they are equal
