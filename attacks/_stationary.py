"""A model of pictures that is the same everywhere: how alike two values are follows from how far they are apart.

It needs few pictures, since every pixel tells of it, and fills what the covariance of few pictures leaves open.
"""

from __future__ import annotations

import torch
from torch import Tensor

_CHUNK = 512  # pictures that are transformed at once


def cross_spectrum(deviations: Tensor) -> Tensor:
    """Mean products of the channels of pictures at each frequency: complex (C, C, 2 · H, W + 1).

    Its inverse transform is the sample autocovariance (Brockwell and Davis 1991, section 7.2), which is a covariance
    whatever the pictures are. Pictures are continued by zeros, so that opposite sides are not neighbours.

    Args:
        deviations: (N, C, H, W), pictures less their mean.
    """
    height, width = deviations.shape[2:]
    total = torch.zeros((), device=deviations.device)
    for part in deviations.split(_CHUNK):
        found = torch.fft.rfft2(part, s=(2 * height, 2 * width))
        total = total + torch.einsum("nchw,ndhw->cdhw", found, found.conj())
    return total / (len(deviations) * height * width)


def correlations(deviations: Tensor) -> Tensor:
    """The correlation of any two values by their channels and the offset between them: (C · H · W, C · H · W).

    Args:
        deviations: (N, C, H, W), pictures less their mean.
    """
    channels, height, width = deviations.shape[1:]
    size = (2 * height, 2 * width)
    covariances = torch.fft.irfft2(cross_spectrum(deviations), s=size)
    scale = covariances[:, :, 0, 0].diagonal().clamp_min(torch.finfo(covariances.dtype).tiny).rsqrt()
    covariances = covariances * (scale[:, None] * scale)[:, :, None, None]
    rows, columns = (
        (torch.arange(length, device=deviations.device)[:, None] - torch.arange(length, device=deviations.device))
        % (2 * length)
        for length in (height, width)
    )
    found = covariances[:, :, rows[:, None, :, None], columns[None, :, None, :]]  # C, C, H, W, H, W
    return found.permute(0, 2, 3, 1, 4, 5).reshape(channels * height * width, -1)
