"""The mask as one more input channel."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Adjustment, Recognizer, Unavailable, with_inputs, zeroed
from torch import Tensor, nn


class MaskChannel(Adjustment):
    """The recognizer sees the mask as one more input channel, so a black pixel is told from a hidden one."""

    name: ClassVar[str] = "mask-channel"
    needs_masks: ClassVar[bool] = True

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return MaskedInput(recognizer)


class MaskedInput(nn.Module):
    """A recognizer whose first convolution has a further input channel.

    A convolution is linear, so the further channel is a convolution of the mask added to that of the image: any
    backbone with a convolution at its input can be widened so, with the weights that it had. The new weights start
    at zero, like the gates of a MaskNet that are open: training starts from the recognizer as it is.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__()
        self.recognizer = recognizer
        first = next((module for module in recognizer.modules() if isinstance(module, nn.Conv2d)), None)
        if first is None:
            raise Unavailable("mask-channel widens the first convolution, and this recognizer has none.")
        self.widened = zeroed(with_inputs(first, 1, bias=False))
        self._masks: Tensor | None = None
        first.register_forward_hook(self._add)

    def _add(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + self.widened(self._masks)

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        """Logits N × classes of float32 images N C H W and masks N 1 H W (none: everything was kept)."""
        self._masks = torch.ones_like(images[:, :1]) if masks is None else masks
        logits = self.recognizer(images)
        self._masks = None
        return logits
