"""The release stage of an audit: the pictures that somebody else's tool made, read from their folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maskbench.artifacts.store import Artifact
from maskbench.data.decode import decode
from maskbench.data.load import released_pictures
from maskbench.data.parties import SPLITS_OF, Split
from maskbench.data.source import RawImages
from maskbench.plugins import judging
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import PartyRelease, StoredRelease
from maskbench.stages.stage import Context, Stage

_LUMA = (299, 587, 114)  # thousandths of red, green and blue: ITU-R BT.601, as Pillow's own conversion to grey
_HALF = 128


@dataclass(frozen=True)
class AuditedRelease(PartyRelease):
    """One party's pairs: both parties ran the same tool, and the attacker owns the pictures on its side."""

    def inputs(self) -> Mapping[str, Stage]:
        return {"data": self.data}

    def parameters(self) -> Mapping[str, Any]:
        return {"release": self.method.release_parameters(), "party": self.party}

    def title(self) -> str:
        return f"release {self.method.label()} · {self.party}"

    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        dataset = Dataset(inputs["data"])
        pictures = released_pictures(self.data.options)
        released, masks = pictures.released(), pictures.masks()
        images: dict[Split, Tensor] = {}
        kept: dict[Split, Tensor] = {}
        unchanged: dict[Split, int] = {}
        for split in SPLITS_OF[self.party]:
            rows, raw = dataset.rows(split).tolist(), dataset.bytes(split)
            images[split] = _of_channels(self._decoded(released, rows), raw.shape[1])
            unchanged[split] = int(judging.unchanged(images[split], raw).sum())
            if masks is not None:
                kept[split] = _kept(self._decoded(masks, rows))
        return StoredRelease.pack(images, kept, {}, unchanged)

    def _decoded(self, pictures: RawImages, rows: list[int]) -> np.ndarray:
        return decode(pictures, rows, self.data.options.size).pixels


def _of_channels(pixels: np.ndarray, channels: int) -> Tensor:
    """Released pictures with as many channels as the raw ones: grey is spread over three, colours become grey.

    Args:
        pixels: uint8 (N, C, H, W).
    """
    if pixels.shape[1] < channels:
        pixels = np.repeat(pixels, channels, axis=1)
    elif pixels.shape[1] > channels:
        weights = np.array(_LUMA, dtype=np.uint32).reshape(1, 3, 1, 1)
        pixels = ((pixels * weights).sum(axis=1, keepdims=True) / sum(_LUMA)).round().astype(np.uint8)
    return torch.from_numpy(np.ascontiguousarray(pixels))


def _kept(pixels: np.ndarray) -> Tensor:
    """Masks: uint8 (N, 1, H, W), 1 = kept. White is kept, or 1 in a mask that holds but 0 and 1."""
    values = pixels[:, :1]
    whole = values.max(axis=(1, 2, 3), keepdims=True) == 1
    return torch.from_numpy(np.where(whole, values == 1, values >= _HALF).astype(np.uint8))
