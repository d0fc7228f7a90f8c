"""Making any image classification network usable as a recognizer: its input, its scale, its feature stages."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskbench.models.layers import with_inputs

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

HEADS = ("classifier", "fc", "head", "heads")
"""What torchvision's backbones call the part after the features."""

POOLING = (nn.AdaptiveAvgPool2d, nn.AvgPool2d, nn.MaxPool2d, nn.AdaptiveMaxPool2d, nn.Identity)


def imagenet_statistics(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return ImageNet's mean and standard deviation for each channel; their averages where there are not three."""
    if channels == len(IMAGENET_MEAN):
        return IMAGENET_MEAN, IMAGENET_STD
    count = len(IMAGENET_MEAN)
    return (sum(IMAGENET_MEAN) / count,) * channels, (sum(IMAGENET_STD) / count,) * channels


def ordinary_activations(network: nn.Module) -> nn.Module:
    """Stop activations from writing over their input, which a forward hook may have kept."""
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return network


def adapt_input(network: nn.Module, channels: int) -> None:
    """Give the first convolution ``channels`` inputs, each with the mean filter, scaled to keep the response.

    For one channel this is the sum over the old inputs: a grey picture answers as its three equal channels did.
    """
    name, first = next((name, m) for name, m in network.named_modules() if isinstance(m, nn.Conv2d))
    if first.in_channels == channels:
        return
    new = with_inputs(first, channels, bias=first.bias is not None)
    with torch.no_grad():
        mean = first.weight.mean(dim=1, keepdim=True) * (first.in_channels / channels)
        new.weight.copy_(mean.expand_as(new.weight))
        if first.bias is not None and new.bias is not None:
            new.bias.copy_(first.bias)
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)


def find_feature_layers(network: nn.Module, channels: int, size: tuple[int, int]) -> list[str]:
    """Return the names of the feature stages of ``network``, shallow to deep, found by a dry run on zeros.

    A stage is the last submodule, at most two levels deep and outside the head, before the shape of the feature
    map (channels or resolution) changes. What only pools, one of several parallel branches, and what is not a map
    of the image (tokens, channels-last maps) is left out. Whatever the dry run raises comes through.
    """
    seen: list[tuple[str, torch.Size]] = []
    pooled: list[Tensor] = []

    def record(name: str, module: nn.Module, output: object) -> None:
        if not isinstance(output, Tensor) or output.ndim != 4 or not _is_map(output.shape, size):
            return
        if isinstance(module, POOLING):
            pooled.append(output)
        elif not any(output is other for other in pooled):  # a chain that ends in pooling hands on its output
            seen.append((name, output.shape))

    hooks = [
        module.register_forward_hook(lambda module, _, output, name=name: record(name, module, output))
        for name, module in _candidates(network)
    ]
    was_training = network.training
    try:
        network.eval()
        with torch.no_grad():
            network(torch.zeros(1, channels, *size))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    changes = [at for at in range(len(seen)) if at + 1 == len(seen) or seen[at + 1][1] != seen[at][1]]
    return list(dict.fromkeys(seen[at][0] for at in changes))


def _candidates(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the submodules that may end a stage: the backbone's children, and the links of chains among them."""
    candidates = []
    for name, child in network.named_children():
        if name in HEADS:
            continue
        candidates.append((name, child))
        if isinstance(child, nn.Sequential | nn.ModuleList):
            candidates += [(f"{name}.{inner}", link) for inner, link in child.named_children()]
    return candidates


def _is_map(shape: torch.Size, size: tuple[int, int]) -> bool:
    """Tell a feature map (N, C, H, W) from (N, H, W, C): its two last sides shrink together with the image's."""
    height, width = (side / full for side, full in zip(shape[-2:], size, strict=True))
    rounding = 2 / min(shape[-2:])
    return max(height, width) <= 1 and abs(height - width) <= rounding * max(height, width)
