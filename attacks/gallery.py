"""Restoration by retrieval: what the release hides is shown as the attacker's own pictures have it that fit it best."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Aux, LearnsFrom, Release, RestorationAttack, to_float
from pydantic import Field
from torch import Tensor

_TRIED = (1, 2, 4, 8, 16, 32)
_CHUNK = 256  # releases that are looked up at once


class Gallery(RestorationAttack):
    """The raw pictures of the attacker's own whose release, or whose pixels where masks keep some, are nearest.

    A single one is sharp and shows someone, where a regression shows the mean of all who fit. The mean of several
    comes nearer to the raw picture unless the right one is among them.
    """

    name: ClassVar[str] = "gallery"
    source: ClassVar[str] = "Hays and Efros 2007, Scene Completion Using Millions of Photographs; without its blending"
    learns_from: ClassVar[LearnsFrom] = "pairs"

    neighbours: int | None = Field(None, ge=1, description="pictures that are averaged; chosen on validation")

    def fit(self, aux: Aux) -> dict[str, Tensor]:
        raw, masked = aux.train.raw_bytes, aux.train.release.masks is not None
        shown = raw if masked else aux.train.release.image_bytes
        if aux.mirror:
            raw, shown = torch.cat([raw, raw.flip(-1)]), torch.cat([shown, shown.flip(-1)])
        state = {"raw": raw, "shown": shown}
        if self.neighbours is not None:
            return {**state, "neighbours": torch.tensor(self.neighbours)}
        truth = aux.validation.raw_images
        order = _nearest(aux.validation.release, shown, min(max(_TRIED), len(shown)), aux.device)
        tried = [count for count in _TRIED if count <= len(shown)]
        errors = [float((_mean(raw, order[:, :count]) - truth).square().mean()) for count in tried]
        return {**state, "neighbours": torch.tensor(tried[errors.index(min(errors))])}

    def restore(self, release: Release, device: torch.device) -> Tensor:
        raw, shown = self.state["raw"], self.state["shown"]
        count = min(int(self.state["neighbours"]), len(raw))
        return _mean(raw, _nearest(release, shown, count, device))


def _nearest(release: Release, shown: Tensor, count: int, device: torch.device) -> Tensor:
    """The nearest of M known pictures, nearest first, by the squared difference over what is kept: int64 (N, count).

    Sums of whole levels are exact in float64: no device and no batch orders pictures otherwise.

    Args:
        shown: uint8 (M, C, H, W).
    """
    known = shown.to(device).double().flatten(1)
    squares = known.square()
    found = []
    for start in range(0, len(release), _CHUNK):
        part = release.select(slice(start, start + _CHUNK))
        asked = part.image_bytes.to(device).double()
        kept = torch.ones_like(asked) if part.mask_bytes is None else part.mask_bytes.to(device).expand_as(asked)
        kept = kept.double().flatten(1)
        distances = kept @ squares.T - 2 * (asked.flatten(1) * kept) @ known.T
        found.append(distances.topk(count, largest=False).indices.cpu())
    return torch.cat(found)


def _mean(raw: Tensor, chosen: Tensor) -> Tensor:
    """The mean of pictures (M, C, H, W) that were chosen, (N, count): float32 (N, C, H, W) in [0, 1]."""
    total = torch.zeros(len(chosen), *raw.shape[1:])
    for each in chosen.unbind(1):
        total += to_float(raw[each])
    return total / chosen.shape[1]
