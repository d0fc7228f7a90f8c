"""Releases that the tests of restoration attacks share."""

from __future__ import annotations

import torch
from maskbench import Release
from maskbench.release import to_bytes, to_float
from torch import Tensor
from torch.nn import functional as F

CPU = torch.device("cpu")
SHAPES = [(1, 28, 28), (3, 32, 32), (3, 48, 32)]
COUNT = 6
NOTHING_KEPT, ALL_KEPT = 0, 1
"""Places of the two extremes in ``released``; the others hide 75 %, at random pixels or in patches of 4."""


def pictures(shape: tuple[int, int, int]) -> Tensor:
    """Smooth random images with flat right halves, on the 8-bit grid."""
    generator = torch.Generator().manual_seed(sum(shape))
    coarse = torch.rand((COUNT, shape[0], 6, 6), generator=generator)
    images = F.interpolate(coarse, size=shape[1:], mode="bicubic").clamp(0, 1)
    images[:, :, :, shape[2] // 2 :] = coarse[:, :, :1, :1]
    return to_float(to_bytes(images))


def released(shape: tuple[int, int, int], fill: float = 0.0) -> Release:
    """Pictures with holes that show ``fill``."""
    height, width = shape[1:]
    generator = torch.Generator().manual_seed(height)
    masks = (torch.rand((COUNT, 1, height, width), generator=generator) < 0.25).float()
    patches = (torch.rand((COUNT // 2, 1, height // 4, width // 4), generator=generator) < 0.25).float()
    masks[COUNT // 2 :] = patches.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    masks[NOTHING_KEPT], masks[ALL_KEPT] = 0, 1
    return Release(torch.where(masks == 1, pictures(shape), to_float(to_bytes(torch.tensor(fill)))), masks)
