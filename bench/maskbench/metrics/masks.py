"""How well masks were found: per image, for masks (N, 1, H, W) of 1 (kept) and 0 (hidden)."""

from __future__ import annotations

from torch import Tensor


def mask_accuracy(found: Tensor, masks: Tensor) -> Tensor:
    """Share of the pixels that are rightly called kept or hidden: float64 (N,) in [0, 1]."""
    return (found == masks).double().mean(dim=(1, 2, 3))


def mask_iou(found: Tensor, masks: Tensor) -> Tensor:
    """Intersection over union of the kept pixels: float64 (N,) in [0, 1]; 1 where both masks keep nothing.

    Calling everything hidden is right for most pixels of a mask that hides much; here it gives 0.
    """
    both, either = ((found == 1) & (masks == 1), (found == 1) | (masks == 1))
    shared, union = (part.double().sum(dim=(1, 2, 3)) for part in (both, either))
    return (shared / union.clamp_min(1)).where(union > 0, 1.0)
