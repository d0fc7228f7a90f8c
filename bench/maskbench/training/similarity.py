"""The structural similarity as a loss: the same window and borders as the metric, with a gradient."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from maskbench.metrics.structure import C1, C2, window_matrix


def similarity_map(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity at each pixel, mean over channels: (N, C, H, W) twice, in [0, 1] → float32 (N, 1, H, W).

    Wang, Bovik, Sheikh, Simoncelli 2004, equation 13; see ``maskbench.metrics.structure``, which measures in place of
    learning and has no gradient. Computed in float32, whatever the surrounding autocast says: variances are small
    differences.
    """
    with torch.autocast(x.device.type, enabled=False):
        x, y = x.float(), y.float()
        rows, columns = (_window(side, x.device) for side in x.shape[2:])
        moments = torch.stack([x, y, x * x, y * y, x * y])
        mean_x, mean_y, square_x, square_y, product = (rows @ moments @ columns.T).unbind()
        shared, power = mean_x * mean_y, mean_x.square() + mean_y.square()
        above = (2 * shared + C1) * (2 * (product - shared) + C2)
        return (above / ((power + C1) * (square_x + square_y - power + C2))).mean(1, keepdim=True)


@lru_cache(maxsize=16)
def _window(size: int, device: torch.device) -> Tensor:
    return torch.from_numpy(window_matrix(size)).to(device, torch.float32)
