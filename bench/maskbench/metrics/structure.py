"""Local statistics under a Gaussian window, at every pixel of a batch: what SSIM and MS-SSIM are made of.

Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment" (IEEE TIP 2004), equation 13: a luminance term times a
contrast-structure term. Images are (N, C, H, W) in [0, 1], at least ``WINDOW`` pixels on a side; results are (N, H, W),
mean over channels. At the borders images are mirrored, edge pixel included, as in scikit-image.

How it is fast on a CPU. Filtering one axis is a product with a matrix, but that matrix is a band 11 wide, so it is
multiplied in tiles of 16 rows, of which 26 columns are not zero. With the filtered axis first or last in memory each
tile is one matrix product over all images, channels and statistics, and none of them copies anything.

How it is exact in float32. A local variance is a difference of two near numbers, and has to be right to a small part
of C2 = 0.0009. So sums and differences of the two images are filtered, moved to [-1, 1], and the window's weights are
multiples of 2^-25 (all are below 1/2) whose sum is exactly 1: a flat image then has a variance of 0 within 1e-7.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

# Wang et al. 2004, section III.C; data range 1.
_SIGMA = 1.5
RADIUS = 5
WINDOW = 2 * RADIUS + 1
C1 = 0.01**2
C2 = 0.03**2

_WEIGHT_STEP = 2.0**-25

# Rows of a tile. On an EPYC core 16 took 0.8 ns an element, 32 1.0, the whole matrix of 224 px 2.5. A GPU wants one
# large product instead.
_TILE_CPU = 16

# Elements of a block of images: its statistics stay in the cache of a core, and in a small part of a GPU's memory.
_BLOCK_CPU = 2**16
_BLOCK_CUDA = 2**24


class Terms(NamedTuple):
    """Numerator and denominator of both terms, each (H, images × channels, W) up to a common factor."""

    luminance: Tensor
    luminance_power: Tensor
    contrast: Tensor
    contrast_power: Tensor


def blocks(*batches: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Split batches of equal length alike, into as many images as are best worked on at once (by the first's size)."""
    first = batches[0]
    images = max(1, (_BLOCK_CUDA if first.is_cuda else _BLOCK_CPU) // first.shape[1:].numel())
    yield from zip(*(batch.split(images) for batch in batches), strict=True)


def working_type(images: Tensor) -> torch.dtype:
    """Float32 where its matrix products are float32's own; float64 for float64 images, and where they may be cut short.

    CUDA, and a lowered ``torch.set_float32_matmul_precision``, multiply in TF32 or bfloat16; neither touches float64.
    """
    exact = not images.is_cuda and torch.get_float32_matmul_precision() == "highest"
    return images.dtype if exact else torch.float64


class Structure:
    """Compares one block of images after another, in memory that it keeps: new pages cost a CPU a third of the time."""

    def __init__(self) -> None:
        self._memory = torch.empty(0)

    def similarity(self, x: Tensor, y: Tensor) -> Tensor:
        """Return both terms' product at each pixel, (N, H, W), in ``working_type``."""
        terms = self._terms(x, y)
        above = terms.luminance.mul_(terms.contrast)
        return _channel_mean(above.div_(terms.luminance_power.mul_(terms.contrast_power)), x)

    def contrast(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the contrast-structure term at each pixel, (N, H, W), in ``working_type``."""
        terms = self._terms(x, y)
        return _channel_mean(terms.contrast.div_(terms.contrast_power), x)

    @torch.no_grad()
    def _terms(self, x: Tensor, y: Tensor) -> Terms:
        """Filter u = x + y and v = x − y: a product of means is a quarter of the difference of their squares."""
        images, channels, height, width = x.shape
        planes = images * channels
        # Rows first: (row, moment, u or v, plane, column).
        moments, free = (part.view(height, 2, 2, planes, width) for part in self._parts(x))
        first, second = moments[:, 0], moments[:, 1]
        x_rows, y_rows = (batch.reshape(planes, height, width).transpose(0, 1).to(moments.dtype) for batch in (x, y))
        torch.add(x_rows, y_rows, out=first[:, 0]).sub_(1.0)
        torch.sub(x_rows, y_rows, out=first[:, 1])
        torch.mul(first, first, out=second)
        _filter(moments, free)
        second.addcmul_(first, first, value=-1.0)
        mean_u, mean_v = first[:, 0].add_(1.0), first[:, 1].square_()
        variance_u, variance_v = second[:, 0].add_(2 * C2), second[:, 1]
        power = mean_u.square_().add_(2 * C1)
        return Terms(
            luminance=torch.sub(power, mean_v, out=free[:, 0, 0]),
            luminance_power=power.add_(mean_v),
            contrast=torch.sub(variance_u, variance_v, out=free[:, 0, 1]),
            contrast_power=variance_u.add_(variance_v),
        )

    def _parts(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Twice the memory for four statistics of each pixel."""
        needed, kind = 4 * images.numel(), working_type(images)
        if self._memory.numel() < 2 * needed or (self._memory.dtype, self._memory.device) != (kind, images.device):
            self._memory = torch.empty(2 * needed, dtype=kind, device=images.device)
        return self._memory[:needed], self._memory[needed : 2 * needed]


def _filter(moments: Tensor, free: Tensor) -> None:
    """Apply the window to (rows, …, columns), in place, by way of ``free``. Products with ``out`` ignore autocast."""
    height, width = moments.shape[0], moments.shape[-1]
    for into, reads, weights in _tiles(height, moments.dtype, moments.device):
        torch.mm(weights, moments.view(height, -1)[reads], out=free.view(height, -1)[into])
    for into, reads, weights in _tiles(width, moments.dtype, moments.device):
        torch.mm(free.view(-1, width)[:, reads], weights.T, out=moments.view(-1, width)[:, into])


@lru_cache(maxsize=16)
def _tiles(size: int, kind: torch.dtype, device: torch.device) -> tuple[tuple[slice, slice, Tensor], ...]:
    """The filter of one axis in tiles: which elements each one writes, which it reads, and the matrix between them."""
    matrix = torch.from_numpy(window_matrix(size)).to(device, kind)
    length = size if device.type == "cuda" else _TILE_CPU
    found = []
    for start in range(0, size, length):
        into = slice(start, min(size, start + length))
        reads = slice(max(0, into.start - RADIUS), min(size, into.stop + RADIUS))
        found.append((into, reads, matrix[into, reads].contiguous()))
    return tuple(found)


def window_matrix(size: int) -> np.ndarray:
    """The window as a matrix, float64 (size, size), mirrored at both ends; every row's sum is exactly 1."""
    offsets = np.arange(-RADIUS, RADIUS + 1)
    taps = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
    taps = np.round(taps / taps.sum() / _WEIGHT_STEP) * _WEIGHT_STEP
    taps[RADIUS] += 1 - taps.sum()
    mirrored = np.pad(np.arange(size), RADIUS, mode="symmetric")
    matrix = np.zeros((size, size))
    rows = np.arange(size)[:, None]
    np.add.at(matrix, (rows, mirrored[rows + np.arange(WINDOW)]), taps)
    return matrix


def _channel_mean(planes: Tensor, images: Tensor) -> Tensor:
    """(H, N × C, W) → (N, H, W)."""
    return planes.unflatten(1, images.shape[:2]).mean(2).transpose(0, 1)
