"""The moving average of a network's weights: what is kept of a training in place of its last step."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MovingAverage:
    """Exponential moving average of weights and running statistics (Polyak and Juditsky 1992).

    Over the first steps it forgets faster, so that the beginning weighs nothing: the decay is min(``decay``,
    (1 + step) / (10 + step)). Nothing of it waits for the device.

    Args:
        decay: in [0, 1), of one step.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._live = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
        self._average: list[Tensor] = [tensor.clone() for tensor in self._live]

    @torch.no_grad()
    def after(self, step: int) -> None:
        """Take in the weights as they are after so many steps."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._average, self._live, 1 - decay)

    @torch.no_grad()
    def settle(self) -> None:
        """Give the network the average as its weights: at the end of the training."""
        torch._foreach_copy_(self._live, self._average)
