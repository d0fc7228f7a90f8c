"""Splitting an image into a public and a secret part by the size of its DCT coefficients."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Given, Method, Release, to_bytes
from pydantic import Field
from scipy.fft import dct
from torch import Tensor
from torch.nn import functional as F

_SIDE = 8  # of a JPEG block
_LEVEL = 128.0  # the grey that JPEG subtracts before the transform
_GREY_LEVELS = 255.0
_DECIMALS = 6  # coefficients and pixels are snapped to this grid, or rounding of halves would depend on the device


class P3(Method):
    """Release the small DCT coefficients; large ones and the mean of each block stay secret (P3's public part).

    Our reading of the split: orthonormal 8 × 8 DCT of each channel on the 0 to 255 scale, coefficients rounded to
    integers (JPEG's quantisation at quality 100). The public part drops the mean (DC) of a block and replaces an
    AC coefficient beyond the threshold by the threshold, its sign dropped too, as the paper has it.
    What is released is the public part decoded like any JPEG: around mid-grey, clipped to [0, 1].
    """

    name: ClassVar[str] = "p3"
    source: ClassVar[str] = "Ra, Govindan and Ortega 2013 (1302.5062), section 3; thresholds of 1609.00408, section 2"
    deterministic: ClassVar[bool] = True
    # Dropping the signs of large coefficients tells left from right: a mirrored edge gets the same sign.
    mirror_symmetric: ClassVar[bool] = False

    threshold: int = Field(10, ge=1, description="largest magnitude of a public AC coefficient")

    def desensitize(self, images: Tensor, given: Given) -> Release:
        public, _ = split(to_bytes(images), self.threshold)
        levels = _decode(public, (images.shape[2], images.shape[3])).clamp(0, _GREY_LEVELS)
        return Release((levels / _GREY_LEVELS).to(torch.float32))


def split(images: Tensor, threshold: int) -> tuple[Tensor, Tensor]:
    """Split 8-bit images into their public and their secret part.

    Args:
        images: uint8 N C H W. Sides that are not multiples of 8 are continued by their last row or column.

    Returns:
        (public, secret): DCT coefficients, float64 N C ceil(H/8) ceil(W/8) 8 8, whose sum is the image. The public
        ones are integers from -threshold to threshold, 0 at DC; the secret ones hold all the rest: DC, what is above
        the threshold, signs, and what the rounding took.
    """
    coefficients = _encode(images)
    rounded = coefficients.round()
    public = torch.where(rounded.abs() > threshold, float(threshold), rounded)
    public[..., 0, 0] = 0
    return public, coefficients - public


def join(public: Tensor, secret: Tensor, size: tuple[int, int]) -> Tensor:
    """Put both parts together again: the exact 8-bit images, uint8 N C H W with (H, W) = ``size``."""
    return _decode(public + secret, size).round().clamp(0, _GREY_LEVELS).to(torch.uint8)


def _encode(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    padded = F.pad(images.to(torch.float64) - _LEVEL, (0, -width % _SIDE, 0, -height % _SIDE), mode="replicate")
    blocks = padded.unfold(2, _SIDE, _SIDE).unfold(3, _SIDE, _SIDE)
    basis = _basis(images.device)
    return (basis @ blocks @ basis.T).round(decimals=_DECIMALS)


def _decode(coefficients: Tensor, size: tuple[int, int]) -> Tensor:
    """Coefficients → float64 N C H W on the 0 to 255 scale, neither rounded to eight bits nor clipped."""
    basis = _basis(coefficients.device)
    blocks = (basis.T @ coefficients @ basis).round(decimals=_DECIMALS)
    rows = blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return rows[:, :, : size[0], : size[1]] + _LEVEL


def _basis(device: torch.device) -> Tensor:
    """The orthonormal DCT-II matrix, one frequency a row."""
    return torch.from_numpy(dct(torch.eye(_SIDE, dtype=torch.float64).numpy(), axis=0, norm="ortho")).to(device)
