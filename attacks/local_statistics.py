"""Inference from local statistics: textures, which are the same wherever they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from ._coordinates import mirrored
from ._regression import regressed

_CHUNK = 512  # pictures looked at together
_LEAST = 1e-9  # spread of a statistic below which it is the same everywhere
_MANY = 20_000  # releases of known pictures that are learned from, at most


class LocalStatistics(InferenceAttack):
    """Regression on how pixels vary together at each small distance, at several scales, wherever they are kept."""

    name: ClassVar[str] = "local-statistics"
    source: ClassVar[str] = "Julesz 1962 (second-order statistics of textures); Haralick 1979 (autocorrelation)"
    trains_network: ClassVar[bool] = False

    radius: int = Field(3, ge=1, le=16, description="largest distance of two pixels along each axis, at each scale")
    scales: int = Field(3, ge=1, le=6, description="scales, each half as fine as the one before")

    def fit(self, aux: InferenceAux) -> Any:
        shown = mirrored(aux, aux.train.release)
        labels = aux.train.known_labels.repeat(len(shown) // len(aux.train.release))
        step = -(-len(shown) // _MANY)
        shown, labels = shown.select(torch.arange(0, len(shown), step)), labels[::step]
        statistics = _Statistics.fitted(shown, self.radius, self.scales, aux.device)
        known, held_out = statistics.of(shown), statistics.of(aux.validation.release)
        truth = aux.validation.known_labels.to(aux.device)
        return statistics, *regressed(known, labels.to(aux.device), aux.classes, held_out, truth)

    def infer(self, release: Release, device: torch.device) -> Tensor:
        statistics, weights, bias = self.state
        return (statistics.of(release) @ weights + bias).cpu()


@dataclass(frozen=True)
class _Statistics:
    """Release → mean products of deviations at each lag, with mean 0 and variance 1 over what the attacker knows.

    Attributes:
        mean: float32 (1, C, H, W), of the pictures where they are kept: deviations are from it.
        radius, scales: of the attack.
        centre, spread: float32 (K,).
    """

    mean: Tensor
    radius: int
    scales: int
    centre: Tensor
    spread: Tensor

    @staticmethod
    def fitted(release: Release, radius: int, scales: int, device: torch.device) -> _Statistics:
        kept = _kept(release)
        mean = (release.images * kept).sum(0, keepdim=True) / kept.sum(0, keepdim=True).clamp_min(1)
        nothing = torch.zeros(1, device=device)
        plain = _Statistics(mean.to(device), radius, scales, nothing, nothing + 1)
        found = plain.of(release)
        spread = found.std(0, correction=0)
        spread = torch.where(spread > _LEAST, spread, 1.0)
        return _Statistics(plain.mean, radius, scales, found.mean(0), spread)

    def of(self, release: Release) -> Tensor:
        """Float32 (N, K), on the device of the mean."""
        parts = torch.arange(len(release)).split(_CHUNK)
        found = torch.cat([self._of(release.select(part)) for part in parts])
        return (found - self.centre) / self.spread

    def _of(self, release: Release) -> Tensor:
        kept = _kept(release).to(self.mean.device)
        deviations = (release.images.to(self.mean.device) - self.mean) * kept
        found = []
        for _ in range(self.scales):
            found += [_together(deviations, kept, *lag) for lag in self._lags(*deviations.shape[2:])]
            if min(deviations.shape[2:]) < 4:
                break
            # The mean of the kept pixels of four, where any is kept.
            share = F.avg_pool2d(kept, 2)
            deviations = F.avg_pool2d(deviations, 2) / share.clamp_min(0.25)
            kept = (share > 0).to(deviations)
        return torch.cat(found, dim=1)

    def _lags(self, height: int, width: int) -> list[tuple[int, int]]:
        """Differences of two places, one of each pair of opposite ones."""
        down, right = min(self.radius, height - 1), min(self.radius, width - 1)
        lags = [(rows, columns) for rows in range(down + 1) for columns in range(-right, right + 1)]
        return [lag for lag in lags if lag >= (0, 0)]


def _together(deviations: Tensor, kept: Tensor, rows: int, columns: int) -> Tensor:
    """The mean product of two deviations that lie so many rows and columns apart, both kept: (N, C)."""
    height, width = deviations.shape[2:]
    left, right = max(0, -columns), max(0, columns)
    first = slice(0, height - rows), slice(left, width - right)
    second = slice(rows, height), slice(left + columns, width - right + columns)
    products = (deviations[..., *first] * deviations[..., *second]).sum((2, 3))
    return products / (kept[..., *first] * kept[..., *second]).sum((2, 3)).clamp_min(1)


def _kept(release: Release) -> Tensor:
    """Float32 (N, 1, H, W), 1 = kept: everything where there are no masks."""
    return torch.ones_like(release.images[:, :1]) if release.masks is None else release.masks
