"""From a value for each channel of a pixel to one for the pixel."""

from __future__ import annotations

from torch import Tensor


def magnitude(attribution: Tensor) -> Tensor:
    """(N, C, H, W) → (N, 1, H, W), without sign: evidence for and against the class both matter to recognition."""
    return attribution.abs().sum(dim=1, keepdim=True)
