"""The linear map that comes nearest to a method, found by running it on patterns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from maskbench import Release
from torch import Tensor

ROUNDING = 1 / 255**2 / 12
"""Variance that rounding to eight bits adds to a value."""

_ROUNDED = 2.0  # times that variance, up to which what differs from the map passes for rounding alone
_DIMMED = 32  # levels, below which black is chosen for each pattern, and white as far from the other end
_CHUNK = 512  # patterns that are released at once


@dataclass(frozen=True)
class LinearMap:
    """release = matrix · picture + offset + noise, for each channel by itself; all in float64, on one device.

    Of a release that has very many values, combinations are looked at in their place: those that vary most.

    Attributes:
        matrix: (M, D), from the D pixels of a channel to M values or combinations.
        offset: (C, H, W), what the release of a black picture would be.
        basis: (D, M), orthonormal: the combinations; None where there are as many as values.
        noise: (M, M), the covariance of what differs from the map.
    """

    matrix: Tensor
    offset: Tensor
    basis: Tensor | None
    noise: Tensor

    @staticmethod
    def found(
        release: Callable[[Tensor, int], Release], raw: Tensor, released: Tensor, *, most: int, seed: int
    ) -> LinearMap:
        """Run a method on patterns, and compare the map with what it made of known pictures.

        Args:
            release: (pictures, draw) → what the method makes of them.
            raw, released: float64 (N, C, H, W), known pictures and their release; on the device of the map.
            most: combinations at most.
            seed: of the patterns.
        """
        generator = torch.Generator().manual_seed(seed)
        shape, device = raw.shape[1:], raw.device
        whole = _responses(release, shape, generator).to(device)
        misfit = released.flatten(2) - raw.flatten(2) @ whole.T
        offset = misfit.mean(0)
        misfit = (misfit - offset).flatten(0, 1)
        basis = None
        if len(whole) > most:
            basis = torch.linalg.qr(whole @ _like(raw, most, generator)).Q
            misfit = misfit @ basis
        identity = torch.eye(misfit.shape[1], dtype=torch.float64, device=device)
        mean_square = float(misfit.square().mean())
        if mean_square <= _ROUNDED * ROUNDING:
            noise = max(mean_square, ROUNDING) * identity
        else:
            noise = misfit.T @ misfit / len(misfit) + ROUNDING * identity
        return LinearMap(whole if basis is None else basis.T @ whole, offset.view(shape), basis, noise)

    def reduced(self, shown: Tensor) -> Tensor:
        """Channels of releases (…, D), less the offset → what the map is compared with: (…, M)."""
        return shown if self.basis is None else shown @ self.basis


def _responses(release: Callable[[Tensor, int], Release], shape: torch.Size, generator: torch.Generator) -> Tensor:
    """How each value of a channel's release follows each of its pixels: float64 (D, D).

    Each pixel is dark or bright by a column of a Hadamard matrix, so that all patterns tell of every pixel. Eight bits
    then blur a response far less than they would blur that to a single bright pixel. The channels of a pattern differ.
    """
    from scipy.linalg import hadamard  # here, so that listing and planning do not wait for scipy

    channels, pixels = shape[0], shape[1:].numel()
    count = 1 << pixels.bit_length()  # more than pixels: the first column, which is constant, is left out
    rows = torch.from_numpy(hadamard(count, dtype="int8")[:, 1 : pixels + 1])
    # Random signs: patterns of a Hadamard matrix have sides, and would meet those of a method's blocks. Random levels:
    # sums of a few equal ones are all rounded alike.
    signs = torch.randint(0, 2, (pixels,), generator=generator, dtype=torch.int8) * 2 - 1
    dark = torch.randint(0, _DIMMED, (count, 1), generator=generator, dtype=torch.uint8)
    patterns = torch.where(rows * signs > 0, 255 - dark, dark)
    shifts = [channel * count // channels for channel in range(channels)]
    total = torch.zeros(count, pixels, dtype=torch.float64)
    for start in range(0, count, _CHUNK):
        place = torch.arange(start, min(start + _CHUNK, count))
        shown = torch.stack([patterns[(place + shift) % count] for shift in shifts], dim=1)
        made = release(shown.view(-1, *shape), start).images.flatten(2)
        for channel, shift in enumerate(shifts):
            total[(place + shift) % count] += made[:, channel]
    contrast = 1 - 2 * dark.double() / 255
    found = _walsh((total - total.mean(0)) / contrast)[1 : pixels + 1] * signs[:, None]
    return found.T * (2 / (count * channels))


def _walsh(values: Tensor) -> Tensor:
    """The Hadamard matrix, whose order is a power of two, times values (order, …)."""
    step = 1
    while step < len(values):
        first, second = values.view(-1, 2, step, values.shape[1]).unbind(1)
        values = torch.stack([first + second, first - second], dim=1).view(len(values), -1)
        step *= 2
    return values


def _like(pictures: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Random channels with the mean spectrum of pictures: (D, count)."""
    height, width = pictures.shape[2:]
    spectrum = torch.fft.rfft2(pictures - pictures.mean(0)).abs().square().mean((0, 1)).sqrt()
    white = torch.randn(count, height, width, generator=generator, dtype=torch.float64).to(pictures.device)
    return torch.fft.irfft2(torch.fft.rfft2(white) * spectrum, s=(height, width)).flatten(1).T
