"""A method run on many images, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from maskbench.plugins.given import Attribution
from maskbench.plugins.method import Method
from maskbench.release import Release, to_float

_BATCH = 512


def in_batches(
    method: Method,
    raw: Tensor,
    numbers: Tensor,
    labels: Tensor | None,
    attributions: Mapping[Attribution, Tensor],
    seed: int,
    device: torch.device,
    progress: Callable[[int], None] = lambda images: None,
) -> Release:
    """Release images batch by batch: uint8, on the CPU.

    Args:
        method: as it was fitted, on the device.
        raw: uint8 (N, C, H, W).
        numbers: int64 (N,), of the images in the data.
        labels: int64 (N,), where the method is told them.
        attributions: what the method requests, (N, 1, H, W).
        progress: told how many images are done.
    """
    batches: list[Release] = []
    for start in range(0, len(raw), _BATCH):
        part = slice(start, start + _BATCH)
        released = method.release(
            to_float(raw[part].to(device)),
            seed=seed,
            numbers=numbers[part].to(device),
            labels=None if labels is None else labels[part].to(device),
            attributions={request: maps[part].to(device) for request, maps in attributions.items()},
        )
        kept = None if released.mask_bytes is None else released.mask_bytes.cpu()
        batches.append(Release.of_bytes(released.image_bytes.cpu(), kept))
        progress(start + len(released))
    masks = torch.cat([batch.kept_bytes for batch in batches]) if method.masked else None
    return Release.of_bytes(torch.cat([batch.image_bytes for batch in batches]), masks)
