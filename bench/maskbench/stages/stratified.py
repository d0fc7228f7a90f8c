"""A random order of images whose every beginning has the labels in proportion."""

from __future__ import annotations

import torch
from torch import Tensor


def stratified_order(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Return int64 positions, shuffled: the first k of them hold about its share of every label (int64 N)."""
    shuffled = torch.randperm(len(labels), generator=generator)
    drawn = labels[shuffled]
    counts = torch.bincount(drawn)
    offsets = torch.rand(len(counts), generator=generator)
    grouped = drawn.argsort(stable=True)
    rank = torch.empty_like(grouped)
    rank[grouped] = torch.arange(len(labels)) - (counts.cumsum(0) - counts)[drawn[grouped]]
    place = (rank + offsets[drawn]) / counts[drawn]
    return shuffled[place.argsort(stable=True)]
