"""Noise on the singular values of an image."""

from __future__ import annotations

from typing import ClassVar, Self

import torch
from maskbench import Given, Method, Randomness, Release
from pydantic import Field, model_validator
from torch import Tensor

_GREY_LEVELS = 255.0
_COLOURS = 3
_ROUNDS_AWAY = 0.5  # grey levels, over a whole image: no value of it is then rounded to another
_TIE_BREAK = 1e-3  # grey levels: far above float64's resolution, far below the eight bits of a release


class DpSvd(Method):
    """Keep a few singular values of each channel and add noise to them (DP-SVD).

    Our reading of Fan 2019: each channel is a matrix on the 0 to 255 scale; its ``rank`` largest singular values stay,
    and the values of all channels together, as one vector, get noise with a density proportional to
    exp(-epsilon · length). This is metric privacy: images whose values lie d apart are epsilon · d indistinguishable
    *by these values*. The singular vectors are released as they are, and carry most of the image: the guarantee says
    nothing about them. One vector for all channels leaves no budget to be split among them.
    """

    name: ClassVar[str] = "dp-svd"
    source: ClassVar[str] = "our reading of Fan 2019, Practical Image Obfuscation with Provable Privacy (ICME)"
    mirror_symmetric: ClassVar[bool] = True

    rank: int = Field(4, ge=1, description="singular values kept in each channel (at most the shorter side)")
    epsilon: float = Field(0.01, gt=0, description="privacy budget for a distance of one grey level")

    @model_validator(mode="after")
    def _budget_means_something(self) -> Self:
        most = _COLOURS * self.rank / _ROUNDS_AWAY  # where the noise of a colour image is that long on average
        if self.epsilon > most:
            raise ValueError(
                f"epsilon={self.epsilon:g} leaves no noise that eight bits show: for rank={self.rank} choose at most "
                f"{most:g}, and far less for noise that hides anything"
            )
        return self

    def claimed_epsilon(self) -> tuple[float, str]:
        return self.epsilon, "have singular values one grey level apart (of the vectors it claims nothing)"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        channels, height, width = images.shape[1:]
        rank = min(self.rank, height, width)
        noise = metric_noise(given.rng, channels * rank, self.epsilon).view(-1, channels, rank)
        levels = reconstruct(images.to(torch.float64) * _GREY_LEVELS, noise)
        return Release((levels / _GREY_LEVELS).clamp(0, 1).to(torch.float32))


def metric_noise(rng: Randomness, dimensions: int, epsilon: float) -> Tensor:
    """Noise with density ∝ exp(-epsilon · Euclidean length): float64 N × dimensions.

    Its direction is uniform and its length follows Gamma(dimensions, 1 / epsilon), a sum of exponential variables.
    """
    direction = torch.nn.functional.normalize(rng.normal(dimensions).to(torch.float64), dim=1)
    length = rng.laplace(dimensions).abs().to(torch.float64).sum(dim=1, keepdim=True) / epsilon
    return direction * length


def reconstruct(levels: Tensor, noise: Tensor) -> Tensor:
    """Rebuild each channel from its largest singular values plus noise; the other values are dropped.

    Args:
        levels: float64 N C H W on any scale of order 0 to 255.
        noise: float64 N C rank: what is added to the largest ``rank`` singular values.

    Returns:
        float64 N C H W, not clipped.
    """
    # A flat or enlarged picture has singular values of 0, whose vectors a library may choose as it likes; a fixed,
    # invisible texture gives them directions, or else the noise would point elsewhere on every device.
    first = torch.zeros(1, dtype=torch.int64, device=levels.device)
    texture = Randomness(0, first).normal(*levels.shape[2:]).to(torch.float64)
    left, values, right = torch.linalg.svd(levels + _TIE_BREAK * texture, full_matrices=False)
    rank = noise.shape[2]
    return (left[..., :rank] * (values[..., :rank] + noise)[..., None, :]) @ right[..., :rank, :]
