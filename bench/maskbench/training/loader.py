"""Batches of stored tensors: kept on the device when they fit, otherwise pinned and copied while it computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import torch
from torch import Tensor

from maskbench.release import to_float
from maskbench.training.augment import Draws, Moves

RESIDENT_SHARE = 0.5
"""Share of the free device memory that stored tensors may take; the rest is left to the network."""


class Batches:
    """The same images, in a new order every epoch.

    tensors: equally long along the first axis; None stays None in every batch. The order is drawn from
    ``generator`` on the CPU, so it is the same on every device. Batch sizes differ by at most one, so that no tiny
    last batch upsets batch normalisation: at most two, which a GPU can record once each. ``sizes`` has the size of each
    batch of an epoch. Raises ValueError where lengths differ.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor | None],
        *,
        batch_size: int,
        device: torch.device,
        generator: torch.Generator,
    ) -> None:
        self.count = common_length(tensors)
        self._device = device
        self._generator = generator
        self._parts = -(-self.count // batch_size)
        size = sum(tensor.nbytes for tensor in tensors if tensor is not None)
        self._home = device if fits_on(device, size) else torch.device("cpu")
        self.renew(tensors)
        small, larger = divmod(self.count, self._parts)
        self.sizes = [small + 1] * larger + [small] * (self._parts - larger)

    def renew(self, tensors: Sequence[Tensor | None]) -> None:
        """Go on with other tensors of the same number, such as another release of the same images."""
        if common_length(tensors) != self.count:
            raise ValueError(f"Expected {self.count} rows as before, got {common_length(tensors)}.")
        self._tensors = [None if tensor is None else tensor.to(self._home) for tensor in tensors]

    def __len__(self) -> int:
        """Return the number of batches of one epoch."""
        return self._parts

    def epoch(self) -> Iterator[tuple[Tensor | None, ...]]:
        """Yield the batches of one epoch, on the device, in a fresh order."""
        yield from self._in_order(torch.randperm(self.count, generator=self._generator))

    def moved_epoch(self, draws: Draws) -> Iterator[tuple[tuple[Tensor | None, ...], Moves]]:
        """The same, each batch with the moves of its images, which are drawn for the whole epoch at once."""
        order = torch.randperm(self.count, generator=self._generator)
        moves = draws.epoch(order, self.sizes).to(self._device).split(self.sizes)
        yield from zip(self._in_order(order), moves, strict=True)

    def _in_order(self, order: Tensor) -> Iterator[tuple[Tensor | None, ...]]:
        for indices in order.to(self._home, non_blocking=True).split(self.sizes):
            yield tuple(None if tensor is None else self._batch(tensor, indices) for tensor in self._tensors)

    def _batch(self, tensor: Tensor, indices: Tensor) -> Tensor:
        batch = tensor.index_select(0, indices)
        if self._home == self._device:
            return batch
        return batch.pin_memory().to(self._device, non_blocking=True)


def common_length(tensors: Sequence[Tensor | None]) -> int:
    """Return how many rows the tensors have; ValueError where they differ."""
    lengths = [len(tensor) for tensor in tensors if tensor is not None]
    if len(set(lengths)) != 1:
        raise ValueError(f"Tensors must be equally long, got lengths {lengths}.")
    return lengths[0]


def fits_on(device: torch.device, size: int) -> bool:
    """Tell whether ``size`` bytes may live on the device beside the network."""
    return device.type != "cuda" or size <= free_bytes(device) * RESIDENT_SHARE


def free_bytes(device: torch.device) -> int:
    """Return what a CUDA device has to give: what nobody holds, and what PyTorch holds without using it."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def image_batch(images: Tensor) -> Tensor:
    """Turn uint8 (N, C, H, W) into float32 in [0, 1] in channels-last memory, which convolutions want."""
    return to_float(images.contiguous(memory_format=torch.channels_last))


@overload
def mask_batch(masks: Tensor) -> Tensor: ...


@overload
def mask_batch(masks: None) -> None: ...


@overload
def mask_batch(masks: Tensor | None) -> Tensor | None: ...


def mask_batch(masks: Tensor | None) -> Tensor | None:
    """Turn uint8 masks (N, 1, H, W) of 0 and 1 into float32; None stays None."""
    return None if masks is None else masks.to(torch.float32)
