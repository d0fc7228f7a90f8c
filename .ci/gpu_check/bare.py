"""Loops written by hand for one network, one batch size and one device: what the product is held against."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WARM_UP = 3


def training_step(
    network: nn.Module, images: Tensor, labels: Tensor, batch: int, *, padding: int = 3
) -> Callable[[], object]:
    """One whole step: batch, shift, mirror, forward, backward and AdamW; a CUDA graph where there is CUDA.

    Args:
        images: uint8 (N, 3, H, W) on the device; as many as one likes.
        batch: how many a step takes.
    """
    device = images.device
    network.to(device, memory_format=torch.channels_last).train()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    graphed = device.type == "cuda"
    optimizer = torch.optim.AdamW(trained, lr=1e-3, fused=True, capturable=graphed)
    height, width = images.shape[-2:]
    padded = F.pad(images, [padding] * 4)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)

    def step() -> None:
        chosen = torch.randint(len(images), (batch,), device=device)
        corners = torch.randint(2 * padding + 1, (2, batch), device=device)
        shown = windows[chosen, :, corners[0], corners[1]]
        mirrored = torch.rand(batch, 1, 1, 1, device=device) < 0.5
        shown = torch.where(mirrored, shown.flip(-1), shown).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=graphed):
            loss = F.cross_entropy(network(shown.float() / 255), labels[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return recorded(step, device)


def gradient_pass(network: nn.Module, images: Tensor) -> Callable[[], object]:
    """A forward and a backward pass to the images, float32 (N, 3, H, W); a CUDA graph where there is CUDA."""
    leaf = images.contiguous(memory_format=torch.channels_last).detach().clone().requires_grad_()

    def once() -> None:
        leaf.grad = None
        network(leaf).amax(1).sum().backward()

    return recorded(once, images.device)


def forward_pass(network: nn.Module, images: Tensor) -> Callable[[], object]:
    """A forward pass without gradients of float32 images (N, 3, H, W); a CUDA graph where there is CUDA."""
    shown = images.contiguous(memory_format=torch.channels_last)

    def once() -> None:
        with torch.no_grad():
            network(shown)

    return recorded(once, images.device)


def recorded(work: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """The work as a CUDA graph, or as it is on the CPU."""
    if device.type != "cuda":
        return work
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
