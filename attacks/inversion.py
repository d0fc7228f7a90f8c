"""Inversion of a method without masks: its linear map is found by running it, and undone with a Gaussian model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from maskbench import Aux, LearnsFrom, Release, RestorationAttack, Unavailable
from pydantic import Field
from torch import Tensor

from ._linear_map import LinearMap
from ._stationary import cross_spectrum

_TRIED = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


class Inversion(RestorationAttack):
    """The mean of the pictures that the method turns into what was released, by a Gaussian model of pictures.

    The attacker runs the method on patterns of its own making and finds the linear map of a channel that comes
    nearest to it: blur and pixelation are such maps, up to eight bits. What differs from the map on the attacker's own
    pictures passes for noise, so a method that is far from linear is undone as far as its map goes.
    """

    name: ClassVar[str] = "inversion"
    source: ClassVar[str] = "Tarantola 2005, Inverse Problem Theory, section 3.2 (linear map, Gaussian prior and noise)"
    learns_from: ClassVar[LearnsFrom] = "pairs"
    needs_method: ClassVar[bool] = True

    combinations: int = Field(
        1024, ge=2, description="of a channel's values that are looked at; there are no more of them at 32 px"
    )
    stationary: float | None = Field(
        None, gt=0, le=1, description="weight of a covariance that is the same everywhere; chosen on validation"
    )

    def fit(self, aux: Aux) -> Any:
        if aux.release is None:
            raise Unavailable("the attacker cannot run the method on pictures of its own making")
        raw, released, held_out, truth = (
            images.to(aux.device).double()
            for images in (
                aux.train.raw_images,
                aux.train.release.images,
                aux.validation.release.images,
                aux.validation.raw_images,
            )
        )
        linear = LinearMap.found(aux.release, raw, released, most=self.combinations, seed=aux.seed)
        colours = _colours(raw)
        known = _turned(torch.cat([raw, raw.flip(-1)]) if aux.mirror else raw, colours)
        seen, truth = linear.reduced(_turned(held_out - linear.offset, colours)), _turned(truth, colours)
        tried = _TRIED if self.stationary is None else (self.stationary,)
        channels = []
        for channel in range(raw.shape[1]):
            pictures = _Pictures.of(known[:, channel].view(-1, *raw.shape[2:]), linear)
            weights = [pictures.inverse(weight) for weight in tried]
            channels.append(min(weights, key=lambda each: each.error(seen[:, channel], truth[:, channel])))
        return linear, colours, channels

    def restore(self, release: Release, device: torch.device) -> Tensor:
        linear, colours, channels = self.state
        shown = release.images.to(linear.offset.device).double()
        seen = linear.reduced(_turned(shown - linear.offset, colours))
        found = torch.stack([each.of(seen[:, channel]) for channel, each in enumerate(channels)], dim=1)
        return _turned(found, colours.T).view(shown.shape).clamp(0, 1).float().cpu()


@dataclass(frozen=True)
class _Inverse:
    """The conditional mean of a channel, D values, given what was released of it, M values.

    Attributes:
        mean, expected: (D,) and (M,), their means.
        towards: (D, M), the covariance of one with the other.
        root: (M, M), the Cholesky factor of the covariance of what was released.
    """

    mean: Tensor
    expected: Tensor
    towards: Tensor
    root: Tensor

    def of(self, shown: Tensor) -> Tensor:
        """Channels (N, D) from what was released of them, (N, M)."""
        return self.mean + (self.towards @ torch.cholesky_solve((shown - self.expected).T, self.root)).T

    def error(self, shown: Tensor, truth: Tensor) -> float:
        """The mean squared error over known channels (N, D)."""
        return float((self.of(shown) - truth).square().mean())


@dataclass(frozen=True)
class _Pictures:
    """What a channel of pictures and a linear map have in common, by two models of pictures.

    One is the covariance of known pictures, which are too few for it. The other one is the same everywhere.

    Attributes:
        mean: (D,).
        known, stationary: by each of the two, the covariance of a channel and its release, (D, M), and that of the
            release, (M, M), without noise.
    """

    linear: LinearMap
    mean: Tensor
    known: tuple[Tensor, Tensor]
    stationary: tuple[Tensor, Tensor]

    @staticmethod
    def of(channel: Tensor, linear: LinearMap) -> _Pictures:
        """From known pictures: (N, H, W)."""
        mean, (height, width) = channel.mean(0), channel.shape[1:]
        deviations = channel - mean
        rows = deviations.flatten(1)
        size = (2 * height, 2 * width)
        spectrum = cross_spectrum(deviations[:, None])[0, 0].real
        mapped = torch.fft.rfft2(linear.matrix.view(-1, height, width), s=size)
        stationary = torch.fft.irfft2(mapped * spectrum, s=size)[:, :height, :width].flatten(1).T
        released = rows @ linear.matrix.T
        known = rows.T @ released / len(rows), released.T @ released / len(rows)
        return _Pictures(linear, mean.flatten(), known, (stationary, linear.matrix @ stationary))

    def inverse(self, weight: float) -> _Inverse:
        """By a mixture of the two, with a weight for the stationary one."""
        towards, released = (
            (1 - weight) * known + weight * stationary
            for known, stationary in zip(self.known, self.stationary, strict=True)
        )
        root = torch.linalg.cholesky(released + self.linear.noise)
        return _Inverse(self.mean, self.linear.matrix @ self.mean, towards, root)


def _colours(pictures: Tensor) -> Tensor:
    """Mixtures of the channels of pictures that do not go together, as rows: (C, C)."""
    channels = pictures.shape[1]
    covariance = torch.cov(pictures.transpose(0, 1).flatten(1)).view(channels, channels)
    return torch.linalg.eigh(covariance).eigenvectors.T


def _turned(images: Tensor, colours: Tensor) -> Tensor:
    """Images (N, C, …) in other colours, (C, C): (N, C, D)."""
    return colours @ images.flatten(2)
