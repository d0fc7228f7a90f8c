"""Averages of a network's weights that training returns to."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskbench.models.recipe import Lookahead


class SlowWeights:
    """The average of one training, running statistics included; nothing of it waits for the device."""

    def __init__(self, network: nn.Module, settings: Lookahead, steps: int) -> None:
        self._settings = settings
        self._steps = steps
        self._live = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
        self._slow: list[Tensor] | None = None

    @torch.no_grad()
    def after(self, step: int) -> None:
        """Tell that so many steps were taken; the weights may come back."""
        share = step / self._steps
        if share < self._settings.start or step % self._settings.every:
            return
        if self._slow is None:
            self._slow = [tensor.clone() for tensor in self._live]
            return
        kept = self._settings.decay**self._settings.every * share**self._settings.power
        torch._foreach_lerp_(self._slow, self._live, 1 - kept)
        self.settle()

    @torch.no_grad()
    def settle(self) -> None:
        """Take the average as the weights: at the end of an epoch."""
        if self._slow is not None:
            torch._foreach_copy_(self._live, self._slow)
