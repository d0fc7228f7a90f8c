"""How close a restoration comes to the raw image, over the whole image or over its hidden pixels.

Images are float32 or float64 NCHW in [0, 1], masks N1HW with 1 = kept and 0 = hidden. Every function returns
one value an image (N) and raises ValueError, naming the argument, for other shapes, values or NaN.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bench.metrics.checks import check_images, check_masks

PSNR_CAP = 100.0
"""dB; what identical images get instead of infinity, so that means stay finite."""

_UNKNOWN_FILL = 0.5  # the middle of [0, 1], where nothing is kept that could tell better

# Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment" (IEEE TIP 2004), section III.C.
_SIGMA = 1.5
_RADIUS = 5
_TAPS = 2 * _RADIUS + 1
_C1 = 0.01**2
_C2 = 0.03**2

# Elements of one block of the SSIM computation: its few float64 maps stay in a core's cache on the CPU, and
# in a small part of the memory of a GPU, which wants larger blocks.
_BLOCK_CPU = 2**15
_BLOCK_CUDA = 2**24


def _decibels(mean_squared_error: Tensor) -> Tensor:
    return (-10.0 * torch.log10(mean_squared_error)).clamp(max=PSNR_CAP)


def psnr(restored: Tensor, raw: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in dB, peak 1, at most ``PSNR_CAP``. Returns N."""
    check_images(restored=restored, raw=raw)
    return _decibels((restored - raw).square().flatten(1).mean(1))


def psnr_hole(restored: Tensor, raw: Tensor, masks: Tensor) -> Tensor:
    """PSNR over the hidden pixels alone, all channels; NaN for an image with nothing hidden. Returns N."""
    check_images(restored=restored, raw=raw)
    return _decibels(_mean_where((restored - raw).square().mean(1), check_masks(masks, raw)))


def mean_fill(released: Tensor, masks: Tensor) -> Tensor:
    """Replace each hidden pixel by the mean of its image's kept pixels, a channel at a time.

    The baseline of ``gain``: what anyone restores without knowing anything. 0.5 where nothing is kept.
    Returns images NCHW; kept pixels are untouched.
    """
    check_images(released=released)
    hidden = check_masks(masks, released)
    kept = (~hidden).to(released.dtype)
    count = kept.sum((2, 3), keepdim=True)
    mean = (released * kept).sum((2, 3), keepdim=True) / count
    # Rounding can carry the mean of values in [0, 1] just over 1.
    fill = torch.where(count > 0, mean, _UNKNOWN_FILL).clamp(0.0, 1.0)
    return torch.where(hidden, fill, released)


def gain(restored: Tensor, released: Tensor, raw: Tensor, masks: Tensor) -> Tensor:
    """``psnr_hole`` of the restoration minus mean-fill's, dB; NaN where nothing is hidden. Returns N."""
    return psnr_hole(restored, raw, masks) - psnr_hole(mean_fill(released, masks), raw, masks)


def ssim_map(restored: Tensor, raw: Tensor) -> Tensor:
    """Structural similarity at each pixel, mean over channels. Returns N H W in the images' type.

    Gaussian window of sigma 1.5 and 11 taps, data range 1, population covariance: Wang et al. 2004, equation
    13. At the borders the image is mirrored, edge pixel included, so the map equals scikit-image's
    ``structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True)``.

    Worked out in float64: in float32 the local variance, a difference of two near numbers, is off by as much
    as the constant C2 resolves (errors of 5e-4 on flat images), and float64 stays clear of autocast and TF32.
    """
    check_images(restored=restored, raw=raw)
    height, width = raw.shape[2:]
    if min(height, width) < _TAPS:
        raise ValueError(f"raw: SSIM needs images of at least {_TAPS}×{_TAPS} pixels, got {height}×{width}.")
    rows = _window(height, raw.device)
    columns = _window(width, raw.device).T
    block = max(1, (_BLOCK_CUDA if raw.is_cuda else _BLOCK_CPU) // raw.shape[1:].numel())
    parts = [
        _similarity(x.double(), y.double(), rows, columns).mean(1)
        for x, y in zip(restored.split(block), raw.split(block), strict=True)
    ]
    return torch.cat(parts).to(raw.dtype)


def ssim(restored: Tensor, raw: Tensor) -> Tensor:
    """Mean structural similarity of each image. Returns N.

    The mean of ``ssim_map`` without a border of 5 pixels, where the window would leave the image: Wang et al.
    2004, and scikit-image's mean.
    """
    inner = slice(_RADIUS, -_RADIUS)
    return ssim_map(restored, raw)[:, inner, inner].mean((1, 2))


def ssim_hole(restored: Tensor, raw: Tensor, masks: Tensor) -> Tensor:
    """Mean of ``ssim_map``, borders included, over the hidden pixels; NaN where none is hidden. Returns N."""
    return _mean_where(ssim_map(restored, raw), check_masks(masks, raw))


def _mean_where(maps: Tensor, hidden: Tensor) -> Tensor:
    """Mean of maps NHW over hidden pixels N1HW; 0/0 = NaN says that there are none."""
    weight = hidden.squeeze(1).to(maps.dtype)
    return (maps * weight).sum((1, 2)) / weight.sum((1, 2))


@lru_cache(maxsize=16)
def _window(size: int, device: torch.device) -> Tensor:
    """Return the Gaussian filter of one axis with mirrored borders, as a matrix (size, size).

    A matrix product does one axis for all images, channels and moments at once.
    """
    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    taps = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
    mirrored = np.pad(np.arange(size), _RADIUS, mode="symmetric")
    matrix = np.zeros((size, size))
    rows = np.arange(size)[:, None]
    np.add.at(matrix, (rows, mirrored[rows + np.arange(_TAPS)]), taps / taps.sum())
    return torch.from_numpy(matrix).to(device)


def _similarity(x: Tensor, y: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    # Equation 13 needs the two variances only as their sum, so four filtered maps do.
    mean_x, mean_y, power, product = rows @ torch.stack([x, y, x * x + y * y, x * y]) @ columns
    luminance = mean_x * mean_y
    mean_power = mean_x.square() + mean_y.square()
    return ((2 * luminance + _C1) * (2 * (product - luminance) + _C2)) / (
        (mean_power + _C1) * (power - mean_power + _C2)
    )
