"""What every recognizer is: images in [0, 1] in, logits out, and named feature stages in between."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from maskbench.models.recipe import Recipe


class Recognizer(nn.Module):
    """A classification network with its input normalisation inside.

    network: maps normalised images (N, C, H, W) to logits (N, K). feature_layers: dotted names, below this module, of
    submodules whose outputs (N, C, H, W) are the feature stages, shallow to deep; the last is Grad-CAM's layer, and an
    adjustment may gate them through forward hooks. mean, std: one value a channel, in the scale of the images.
    recipe: how the architecture wants to be trained; the engine reads it.
    """

    feature_layers: tuple[str, ...]
    recipe: Recipe
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        feature_layers: Sequence[str],
        mean: Sequence[float],
        std: Sequence[float],
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.feature_layers = tuple(feature_layers)
        self.recipe = recipe or Recipe()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 images (N, C, H, W) in [0, 1] to logits (N, K)."""
        return self.network((images - self.mean) / self.std)

    def begin(self, images: Tensor) -> None:
        """Take from the training images what the network starts with; by default nothing.

        Called before each training, on the CPU or wherever the network lies. Weights that were trained before are to
        stay as they are.

        Args:
            images: uint8 (N, C, H, W), all that the training will show, before any shift.
        """


class ImageOnly(nn.Module):
    """A recognizer that is handed masks and does not look at them: no model adjustment."""

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__()
        self.recognizer = recognizer

    def forward(self, images: Tensor, masks: Tensor | None = None) -> Tensor:
        """Map float32 images (N, C, H, W) in [0, 1] to logits (N, K); ``masks`` is ignored."""
        return self.recognizer(images)
