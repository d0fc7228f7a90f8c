"""What a network says of an image of which it sees random parts: shared by RISE and LIME.

Both average or regress the answers to many masked copies of each image. The masks are the same for every image, so
one call serves a whole batch, and an image's attribution depends on no other image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.models.recognizer import Recognizer

_PIXELS_CPU = 2**17
"""Of the masked copies in one pass: 128 copies of 32 × 32 px, which took 0.56 of the time of passes twice as large."""
_PIXELS_GPU = 2**20
"""The same for a GPU, which needs more to be busy: bounds the memory."""


def masked_probabilities(network: Recognizer, images: Tensor, masks: Tensor, classes: Tensor) -> Tensor:
    """The probability of each image's class under each mask.

    Args:
        network: see ``Algorithm.attribute``.
        images: N C H W in [0, 1].
        masks: M 1 H W in [0, 1]; 0 shows the network's neutral colour instead of the image.
        classes: int64 (N,).

    Returns:
        Float64, N × M in [0, 1]: a confident network's answers differ in digits that float32 does not have.
    """
    neutral = network.mean.to(images)
    copies = max((_PIXELS_GPU if images.is_cuda else _PIXELS_CPU) // masks[0].numel(), 1)
    answers = []
    with torch.no_grad():
        for some, chosen in zip(images.split(copies), classes.split(copies), strict=True):
            visible = (some - neutral)[:, None]
            parts = []
            for part in masks.split(max(copies // len(some), 1)):
                logits = network((neutral + visible * part).flatten(0, 1))
                target = chosen.repeat_interleave(len(part))[:, None]
                parts.append(logits.double().softmax(dim=1).gather(1, target).view(len(some), len(part)))
            answers.append(torch.cat(parts, dim=1))
    return torch.cat(answers)
