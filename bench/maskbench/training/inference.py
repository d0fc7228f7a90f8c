"""Running a trained network over stored images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from maskbench.training.loader import common_length, fits_on, image_batch, mask_batch


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put ``network`` into evaluation mode inside the block, and back afterwards."""
    before = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(before)


def run_in_batches(
    network: Callable[[Tensor, Tensor | None], Tensor],
    images: Tensor,
    masks: Tensor | None,
    *,
    device: torch.device,
    batch_size: int,
) -> Tensor:
    """Apply ``network(images, masks)`` to uint8 images (N, C, H, W) and masks (N, 1, H, W); return float32 on the CPU.

    Computed in float32 on every device: bfloat16 would make the answer depend on the batch it came in.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {batch_size}.")
    count = common_length([images, masks])
    outputs: Tensor | None = None
    with torch.inference_mode():
        for start in range(0, count, batch_size):
            part = slice(start, start + batch_size)
            shown = image_batch(images[part].to(device, non_blocking=True))
            kept = None if masks is None else mask_batch(masks[part].to(device, non_blocking=True))
            output = network(shown, kept).float()
            if outputs is None:
                outputs = _collector(count, output)
            outputs[part] = output
    if outputs is None:
        raise ValueError("There are no images to run the network on.")
    return outputs.cpu()


@torch.inference_mode(mode=False)  # a plain tensor, which callers may train on
def _collector(count: int, output: Tensor) -> Tensor:
    size = count * output[0].nbytes
    device = output.device if fits_on(output.device, size) else torch.device("cpu")
    return torch.empty(count, *output.shape[1:], device=device)
