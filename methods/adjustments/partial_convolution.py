"""Partial convolutions: a recognizer that averages over what was kept alone."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Adjustment, Recognizer, Unavailable
from torch import Tensor, nn
from torch.nn import functional as F


class PartialConvolution(Adjustment):
    """Every convolution sees kept places alone and is scaled up for those it misses."""

    name: ClassVar[str] = "partial-convolution"
    source: ClassVar[str] = "1804.07723, section 3.1, equations 1 and 2"
    needs_masks: ClassVar[bool] = True

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return PartialRecognizer(recognizer)


class _Known:
    """Which places are known at each resolution: (H, W) → N 1 H W, 1 = known."""

    def __init__(self) -> None:
        self.masks: dict[tuple[int, ...], Tensor] = {}

    def at(self, features: Tensor) -> Tensor:
        """The mask of features N C H W. What pooling made takes over the mask before it, by the largest value."""
        size = tuple(features.shape[2:])
        if size not in self.masks:
            coarsest = self.masks[min(self.masks)]
            self.masks[size] = F.adaptive_max_pool2d(coarsest, size)
        return self.masks[size].to(features.dtype)

    def add(self, mask: Tensor) -> None:
        """A convolution's result is known here; beside a residual block's, a place is known where either is."""
        size = tuple(mask.shape[2:])
        self.masks[size] = torch.maximum(mask, self.masks[size]) if size in self.masks else mask


class _PartialConv2d(nn.Module):
    """A convolution made partial; it keeps its weights."""

    def __init__(self, convolution: nn.Conv2d, known: _Known) -> None:
        super().__init__()
        self.convolution = convolution
        self._known = known

    def forward(self, features: Tensor) -> Tensor:
        inner = self.convolution
        mask = self._known.at(features)
        with torch.no_grad():
            window = mask.new_ones(1, 1, *inner.kernel_size)
            seen = self._convolved(mask, window)
            # Beyond the border there is nothing to miss: zero padding counts as it does without a mask.
            whole = self._convolved(torch.ones_like(mask[:1]), window)
            known = (seen > 0).to(mask.dtype)
            scale = known * whole / seen.clamp(min=1)
        self._known.add(known)
        sums = self._convolved(features * mask, inner.weight, inner.groups) * scale
        return sums if inner.bias is None else sums + inner.bias.view(1, -1, 1, 1) * known

    def _convolved(self, features: Tensor, kernel: Tensor, groups: int = 1) -> Tensor:
        """Features convolved without a bias, with the stride, padding and dilation of the convolution made partial."""
        inner = self.convolution
        return F.conv2d(features, kernel, None, inner.stride, inner.padding, inner.dilation, groups)


class PartialRecognizer(nn.Module):
    """A recognizer with all its convolutions made partial; their masks go along with the features."""

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__()
        self.recognizer = recognizer
        self._known = _Known()
        found = [(name, module) for name, module in recognizer.named_modules() if isinstance(module, nn.Conv2d)]
        if not found:
            raise Unavailable("partial-convolution adjusts convolutions, and this recognizer has none.")
        for name, convolution in found:
            recognizer.set_submodule(name, _PartialConv2d(convolution, self._known))

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        """Logits N × classes of float32 images N C H W and masks N 1 H W (none: everything was kept)."""
        masks = torch.ones_like(images[:, :1]) if masks is None else masks
        self._known.masks = {tuple(images.shape[2:]): masks}
        logits = self.recognizer(images)
        self._known.masks = {}
        return logits
