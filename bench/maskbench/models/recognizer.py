"""What every recognizer is: images in [0, 1] in, logits out, and named feature stages in between."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Recognizer(nn.Module):
    """A classification network with its input normalisation inside.

    network: maps normalised images NCHW to logits NK. feature_layers: dotted names, below this module, of
    submodules whose outputs NCHW are the feature stages, shallow to deep; the last is Grad-CAM's layer, and an
    adjustment may gate them through forward hooks. mean, std: one value a channel, in the scale of the images.
    """

    feature_layers: tuple[str, ...]
    mean: Tensor
    std: Tensor

    def __init__(
        self, network: nn.Module, *, feature_layers: Sequence[str], mean: Sequence[float], std: Sequence[float]
    ) -> None:
        super().__init__()
        self.network = network
        self.feature_layers = tuple(feature_layers)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 images NCHW in [0, 1] to logits NK."""
        return self.network((images - self.mean) / self.std)


class ImageOnly(nn.Module):
    """A recognizer that is handed masks and does not look at them: no model adjustment."""

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__()
        self.recognizer = recognizer

    def forward(self, images: Tensor, masks: Tensor | None = None) -> Tensor:
        """Map float32 images NCHW in [0, 1] to logits NK; ``masks`` is ignored."""
        return self.recognizer(images)
