"""What a network says of an image of which it sees random parts: shared by RISE and LIME.

Both average or regress the answers to many masked copies of each image. The masks are the same for every image, so
one call serves a whole batch, and an image's attribution depends on no other image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from maskbench.attributions.logits import predicted_classes
from maskbench.models.recognizer import Recognizer


def masked_probabilities(network: Recognizer, images: Tensor, masks: Tensor, pass_size: int) -> Tensor:
    """The probability, under each mask, of the class that the network predicts for the whole image.

    Args:
        network: see ``Algorithm.attribute``.
        images: (N, C, H, W) in [0, 1].
        masks: M 1 H W in [0, 1]; 0 shows the network's neutral colour instead of the image.
        pass_size: see ``Algorithm.attribute``.

    Returns:
        Float64, N × M in [0, 1]: a confident network's answers differ in digits that float32 does not have.
    """
    neutral = network.mean.to(images)
    visible = (images - neutral)[:, None]
    classes = predicted_classes(network, images)
    parts = []
    with torch.no_grad():
        for part in masks.split(pass_size // len(images)):
            logits = network((neutral + visible * part).flatten(0, 1))
            target = classes.repeat_interleave(len(part))[:, None]
            parts.append(logits.double().softmax(dim=1).gather(1, target).view(len(images), len(part)))
    return torch.cat(parts, dim=1)
