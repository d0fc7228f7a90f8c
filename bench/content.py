"""A number for an image, made of what it shows: for those who are handed images without their numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.release import Release, to_bytes


def content_numbers(release: Release) -> Tensor:
    """Int64 (N,), on the CPU: a hash of each released image and its mask, the same in any batch.

    For :class:`bench.randomness.Randomness`, so that an attack's noise differs between images and depends on the image
    alone: noise that all images shared would make their errors go together, and intervals over images too narrow.
    A sum of bytes times random 64-bit numbers, modulo 2⁶⁴: two images that differ collide with a chance below 2⁻⁵⁵.
    """
    shown = [to_bytes(release.images)] + ([] if release.masks is None else [to_bytes(release.masks)])
    content = torch.cat([planes.cpu().flatten(1) for planes in shown], dim=1).to(torch.int64)
    bounds = torch.iinfo(torch.int64)
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(bounds.min, bounds.max, (content.shape[1],), generator=generator)
    return (content * factors).sum(1)
