"""What several releases of the same pictures show together: an attacker who has them all need not take one."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from maskbench.release import Release


def together(releases: Iterable[Release]) -> Release:
    """Each pixel's mean over the releases that show it; a pixel is kept where any of them keeps it.

    So of masks it is the union of what is kept, and of noise the mean picture. What no release keeps looks as in the
    first one. One release is what it is.

    Args:
        releases: of the same N pictures, made by one fit of a method with other random numbers; uint8, at least one.
    """
    first: Release | None = None
    total, count = torch.zeros(0), torch.zeros(0)
    for made in releases:
        shown = _shown(made)
        if first is None:
            first, total, count = made, made.image_bytes * shown, shown
        else:
            total, count = total + made.image_bytes * shown, count + shown
    if first is None:
        raise ValueError("There is no release.")
    means = (total / count.clamp_min(1)).round().to(torch.uint8)
    images = torch.where(count > 0, means, first.image_bytes)
    return Release.of_bytes(images, None if first.mask_bytes is None else (count > 0).to(torch.uint8))


def _shown(release: Release) -> Tensor:
    """Int32 (N, 1, H, W), 1 where a pixel is shown; (1, 1, 1, 1) where all are."""
    if release.mask_bytes is None:
        return torch.ones(1, 1, 1, 1, dtype=torch.int32, device=release.image_bytes.device)
    return release.mask_bytes.to(torch.int32)
