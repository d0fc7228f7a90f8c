"""How close a restoration comes to the raw image, over the whole image or over its hidden pixels.

Images are float32 or float64 (N, C, H, W) in [0, 1], masks (N, 1, H, W) with 1 = kept and 0 = hidden. Every function
returns one value an image, (N,), and raises ValueError, naming the argument, for other shapes, values or NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from maskbench.checks import check_images, check_masks
from maskbench.fills import mean_fill
from maskbench.metrics.structure import RADIUS, WINDOW, Structure, blocks

PSNR_CAP = 100.0
"""dB; what identical images get instead of infinity, so that means stay finite."""

# Wang, Simoncelli, Bovik, "Multi-scale structural similarity" (Asilomar 2003), section 3.2: one exponent a scale.
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

MS_SSIM_SIDE = (WINDOW - 1) * 2 ** (len(_SCALE_WEIGHTS) - 1) + 1
"""Pixels; the smallest side that is still as long as the window at the coarsest scale: 161."""


def _decibels(mean_squared_error: Tensor) -> Tensor:
    return (-10.0 * torch.log10(mean_squared_error)).clamp(max=PSNR_CAP)


def psnr(restored: Tensor, raw: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in dB, peak 1, at most ``PSNR_CAP``. Returns N."""
    check_images(restored=restored, raw=raw)
    return _decibels(torch.cat([_mean((x - y).square_().mean(1)) for x, y in blocks(restored, raw)]))


def psnr_hole(restored: Tensor, raw: Tensor, masks: Tensor) -> Tensor:
    """PSNR over the hidden pixels alone, all channels; NaN for an image with nothing hidden. Returns N."""
    check_images(restored=restored, raw=raw)
    return _decibels(_mean_where((restored - raw).square().mean(1), check_masks(masks, raw)))


def gain(restored: Tensor, released: Tensor, raw: Tensor, masks: Tensor) -> Tensor:
    """``psnr_hole`` of the restoration minus mean-fill's, dB; NaN where nothing is hidden. Returns N."""
    return psnr_hole(restored, raw, masks) - psnr_hole(mean_fill(released, masks), raw, masks)


class Closeness(NamedTuple):
    """PSNR (dB) and SSIM of each image, over all of it and over its hidden pixels: four times N."""

    psnr: Tensor
    ssim: Tensor
    psnr_hole: Tensor
    ssim_hole: Tensor


def closeness(restored: Tensor, raw: Tensor, masks: Tensor) -> Closeness:
    """``psnr``, ``ssim``, ``psnr_hole`` and ``ssim_hole`` in one pass: the SSIM map is worked out once."""
    _check_window(restored, raw)
    hidden = check_masks(masks, raw)
    structure, parts = Structure(), []
    for x, y, where in blocks(restored, raw, hidden):
        errors, maps = (x - y).square_().mean(1), structure.similarity(x, y)
        parts.append((_mean(errors), _inner_mean(maps), _mean_where(errors, where), _mean_where(maps, where)))
    error, ssim_whole, error_hole, ssim_hidden = (torch.cat(part).to(raw.dtype) for part in zip(*parts, strict=True))
    return Closeness(_decibels(error), ssim_whole, _decibels(error_hole), ssim_hidden)


def ssim_map(restored: Tensor, raw: Tensor) -> Tensor:
    """Structural similarity at each pixel, mean over channels. Returns (N, H, W) in the images' type.

    Gaussian window of sigma 1.5 and 11 taps, data range 1, population covariance: Wang, Bovik, Sheikh, Simoncelli,
    "Image quality assessment" (IEEE TIP 2004), equation 13. At the borders the image is mirrored, edge pixel included,
    so the map equals scikit-image's
    ``structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True)``.
    """
    _check_window(restored, raw)
    structure = Structure()
    return torch.cat([structure.similarity(x, y).to(raw.dtype) for x, y in blocks(restored, raw)])


def ssim(restored: Tensor, raw: Tensor) -> Tensor:
    """Mean structural similarity of each image. Returns N.

    The mean of ``ssim_map`` without a border of 5 pixels, where the window would leave the image: Wang et al.
    2004, and scikit-image's mean.
    """
    _check_window(restored, raw)
    structure = Structure()
    return torch.cat([_inner_mean(structure.similarity(x, y)) for x, y in blocks(restored, raw)]).to(raw.dtype)


def ssim_hole(restored: Tensor, raw: Tensor, masks: Tensor) -> Tensor:
    """Mean of ``ssim_map``, borders included, over the hidden pixels; NaN where none is hidden. Returns N."""
    return _mean_where(ssim_map(restored, raw), check_masks(masks, raw))


def ms_ssim(restored: Tensor, raw: Tensor) -> Tensor:
    """Multi-scale structural similarity of each image, whole. Returns N.

    Wang, Simoncelli, Bovik 2003, equation 7, with their five scales and exponents: at every scale the mean of the
    contrast-structure term, at the coarsest of the whole similarity, where the window does not leave the image; a
    negative mean counts as 0, as it has no power. Each scale is the mean of 2 × 2 pixels of the one before; where a
    side is odd the last row or column stands for itself, which is what their mirrored filter gives, and what lets sides
    of 161 px pass. (torchmetrics drops it, so it needs 176 px, and at the coarsest scale takes the border in as well.)

    Raises:
        ValueError: a side is below ``MS_SSIM_SIDE``.
    """
    check_images(restored=restored, raw=raw)
    _check_side(raw, MS_SSIM_SIDE, "MS-SSIM")
    structure = Structure()
    return torch.cat([_over_scales(structure, x, y) for x, y in blocks(restored, raw)]).to(raw.dtype)


def _over_scales(structure: Structure, x: Tensor, y: Tensor) -> Tensor:
    *finer, coarsest = _SCALE_WEIGHTS
    product = torch.ones(len(x), dtype=torch.float64, device=x.device)
    for weight in finer:
        product *= _inner_mean(structure.contrast(x, y)).double().relu() ** weight
        x, y = (avg_pool2d(batch, 2, ceil_mode=True) for batch in (x, y))
    return product * _inner_mean(structure.similarity(x, y)).double().relu() ** coarsest


def _check_window(restored: Tensor, raw: Tensor) -> None:
    check_images(restored=restored, raw=raw)
    _check_side(raw, WINDOW, "SSIM")


def _check_side(raw: Tensor, least: int, metric: str) -> None:
    height, width = raw.shape[2:]
    if min(height, width) < least:
        raise ValueError(f"raw: {metric} needs images of at least {least}×{least} pixels, got {height}×{width}.")


def _mean(maps: Tensor) -> Tensor:
    return maps.mean((1, 2))


def _inner_mean(maps: Tensor) -> Tensor:
    """Mean of maps (N, H, W) where the window does not leave the image."""
    return _mean(maps[:, RADIUS:-RADIUS, RADIUS:-RADIUS])


def _mean_where(maps: Tensor, hidden: Tensor) -> Tensor:
    """Mean of maps (N, H, W) over hidden pixels (N, 1, H, W); 0/0 = NaN says that there are none."""
    weight = hidden.squeeze(1).to(maps.dtype)
    return (maps * weight).sum((1, 2)) / weight.sum((1, 2))
