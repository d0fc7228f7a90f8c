"""Small changes to single layers, and where in memory a network's weights lie."""

from __future__ import annotations

import torch
from torch import nn


def zeroed(convolution: nn.Conv2d) -> nn.Conv2d:
    """The same convolution, answering 0 until it has learned something else."""
    nn.init.zeros_(convolution.weight)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution


def with_inputs(convolution: nn.Conv2d, channels: int, *, bias: bool) -> nn.Conv2d:
    """A new convolution like ``convolution``, with ``channels`` input channels and weights as PyTorch draws them."""
    padding = convolution.padding
    return nn.Conv2d(
        channels,
        convolution.out_channels,
        _pair(convolution.kernel_size),
        _pair(convolution.stride),
        padding if isinstance(padding, str) else _pair(padding),
        _pair(convolution.dilation),
        bias=bias,
        padding_mode=convolution.padding_mode,
    )


def _pair(sides: tuple[int, ...]) -> tuple[int, int]:
    height, width = sides
    return height, width


def place(network: nn.Module, device: torch.device) -> None:
    """Move a network to ``device``, its weights channels-last as :func:`image_batch` lays out images."""
    network.to(device)
    network.to(memory_format=torch.channels_last)
