"""Padding to the sides that a network can take."""

from __future__ import annotations

import torch
from torch import Tensor


def pad_symmetric(images: Tensor, multiple: int) -> Tensor:
    """Pad (N, C, H, W) at the right and at the bottom until ``multiple`` divides both sides, if it does not yet.

    The image is mirrored there with its edge repeated, as numpy's ``symmetric`` mode does, which torch lacks.
    """
    for axis in (-2, -1):
        side = images.shape[axis]
        padding = -side % multiple
        if padding:
            place = torch.arange(side + padding, device=images.device) % (2 * side)
            images = images.index_select(axis, torch.where(place < side, place, 2 * side - 1 - place))
    return images
