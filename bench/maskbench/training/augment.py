"""Augmentation that moves an image and its mask together."""

from __future__ import annotations

from typing import overload

import torch
import torch.nn.functional as F
from torch import Tensor


@overload
def shift_and_flip(
    images: Tensor, masks: Tensor, *, padding: int, flip: bool, generator: torch.Generator
) -> tuple[Tensor, Tensor]: ...


@overload
def shift_and_flip(
    images: Tensor, masks: Tensor | None, *, padding: int, flip: bool, generator: torch.Generator
) -> tuple[Tensor, Tensor | None]: ...


def shift_and_flip(
    images: Tensor, masks: Tensor | None, *, padding: int, flip: bool, generator: torch.Generator
) -> tuple[Tensor, Tensor | None]:
    """Shift every image by up to ``padding`` pixels along each axis and mirror half of them left to right.

    images: (N, C, H, W), any dtype; masks: (N, 1, H, W) or None, moved exactly as the images. Pixels that come in from
    outside are 0 in the image and 0 (hidden) in the mask. ``generator`` is one of the CPU, whatever device the images
    are on, so that every device sees the same draws. Raises ValueError for a negative padding.
    """
    if padding < 0:
        raise ValueError(f"padding must be 0 or more, got {padding}.")
    count, device = len(images), images.device
    if padding:
        corners = torch.randint(0, 2 * padding + 1, (2, count), generator=generator)
        corners = corners.to(device, non_blocking=True)
        images = _shift(images, corners, padding)
        masks = None if masks is None else _shift(masks, corners, padding)
    if flip:
        mirrored = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
        mirrored = mirrored.to(device, non_blocking=True)
        images = torch.where(mirrored, images.flip(-1), images)
        masks = None if masks is None else torch.where(mirrored, masks.flip(-1), masks)
    return images, masks


def _shift(images: Tensor, corners: Tensor, padding: int) -> Tensor:
    """Cut from each zero-padded image the window whose upper left corner is ``corners`` (2N: row, column)."""
    height, width = images.shape[-2:]
    padded = F.pad(images, [padding] * 4)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: N C rows columns H W
    return windows[torch.arange(len(images), device=images.device), :, corners[0], corners[1]]
