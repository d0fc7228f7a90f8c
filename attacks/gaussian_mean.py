"""The conditional mean of hidden pixels in a Gaussian model of the attacker's pictures: no network, seconds of work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from maskbench import Aux, LearnsFrom, Release, RestorationAttack, to_bytes, to_float
from pydantic import Field
from torch import Tensor

from ._stationary import correlations

_BLOCK, _MARGIN = 16, 8  # pixels that one model restores, and how far beyond them it looks
_CHUNK = 64  # images whose equations are solved at once
_TRIED = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
_WEIGHTS = (0.0, 0.15, 0.3, 0.6, 0.9)
_FIRST = 0.01  # the shrinkage that weights are compared at
_COMPARED = 64  # pictures of the validation part that the shrinkage is chosen on


class GaussianMean(RestorationAttack):
    """Gaussian conditional mean: the best restoration were pictures Gaussian, the best linear one in any case."""

    name: ClassVar[str] = "gaussian-mean"
    source: ClassVar[str] = "linear least squares estimation, such as Kay 1993, Estimation Theory, chapter 12"
    learns_from: ClassVar[LearnsFrom] = "pairs"

    shrinkage: float | None = Field(
        None, gt=0, lt=1, description="of the covariance towards a multiple of the identity; chosen on validation"
    )
    stationary: float | None = Field(
        None,
        ge=0,
        le=1,
        description="weight of correlations that are the same everywhere, where there are masks; chosen on validation",
    )

    def fit(self, aux: Aux) -> Any:
        release, raw = aux.train.release, aux.train.raw_images
        shown = None if release.masks is not None else to_bytes(release.images)
        weight, shrinkage = self.stationary or 0.0, self.shrinkage or _FIRST
        model = _Model(to_bytes(raw), shown, shrinkage, weight, aux.mirror)
        if self.stationary is None and shown is None:
            model = _best([replace(model, stationary=each) for each in _WEIGHTS], aux)
        if self.shrinkage is None:
            model = _best([replace(model, shrinkage=each) for each in _TRIED], aux)
        return model

    def restore(self, release: Release, device: torch.device) -> Tensor:
        model: _Model = self.state
        restored = torch.empty(len(release), *model.raw.shape[1:])
        for block, window in _windows(*release.images.shape[2:]):
            restored[..., block[0], block[1]] = model.restored(release, block, window, device).cpu()
        return restored.clamp(0, 1)


Place = tuple[slice, slice]
"""Rows and columns of an image."""


@dataclass(frozen=True)
class _Model:
    """What is learned from: pictures, and their releases where the method has no masks; uint8 (N, C, H, W).

    Attributes:
        shrinkage: of the covariance towards a multiple of the identity.
        stationary: before that, towards correlations that are the same everywhere.
    """

    raw: Tensor
    released: Tensor | None
    shrinkage: float
    stationary: float
    mirror: bool

    def restored(
        self, release: Release, block: Place, window: Place, device: torch.device, moments: _Moments | None = None
    ) -> Tensor:
        """A block of every image of a release: float32 (N, C, rows, columns), from what its window shows.

        Args:
            moments: of the window, where they are known and needed.
        """
        shown = release.images[..., window[0], window[1]].to(device)
        if self.released is not None:
            return self._regressed(shown, self.released, block, window)
        block_of = _inside(block, window)
        kept = release.kept[..., window[0], window[1]].to(device).expand_as(shown).flatten(1) > 0
        found = moments or self.moments(window, device)
        mean, covariance = found.mean, found.covariance(self.stationary, self.shrinkage)
        chunks = zip(shown.flatten(1).split(_CHUNK), kept.split(_CHUNK), strict=True)
        guessed = torch.cat([_conditional_mean(each, seen, mean, covariance) for each, seen in chunks])
        return guessed.view(len(shown), -1, *shown.shape[2:])[..., block_of[0], block_of[1]]

    def moments(self, window: Place, device: torch.device) -> _Moments:
        """What is known of a window."""
        rows = self._rows(self.raw, window, device)
        mean = rows.mean(0)
        deviations = rows - mean
        alike = correlations(deviations.view(len(rows), self.raw.shape[1], *_shape(window)))
        return _Moments(mean, deviations.T @ deviations / len(rows), alike)

    def _regressed(self, shown: Tensor, released: Tensor, block: Place, window: Place) -> Tensor:
        """The block by ridge regression on a window of the release; the dual where pictures are fewer than values."""
        device = shown.device
        inputs, outputs = self._rows(released, window, device), self._rows(self.raw, block, device)
        means = inputs.mean(0), outputs.mean(0)
        x, y = inputs - means[0], outputs - means[1]
        strength = self.shrinkage * x.square().sum() / min(x.shape) + 1e-6
        asked = shown.flatten(1) - means[0]
        if x.shape[0] < x.shape[1]:
            gram = x @ x.T
            gram.diagonal().add_(strength)
            found = asked @ x.T @ torch.cholesky_solve(y, torch.linalg.cholesky(gram))
        else:
            gram = x.T @ x
            gram.diagonal().add_(strength)
            found = asked @ torch.cholesky_solve(x.T @ y, torch.linalg.cholesky(gram))
        return (found + means[1]).view(len(shown), -1, *_shape(block))

    def _rows(self, images: Tensor, place: Place, device: torch.device) -> Tensor:
        cut = to_float(images[..., place[0], place[1]].to(device))
        if self.mirror:
            mirrored = slice(images.shape[3] - place[1].stop, images.shape[3] - place[1].start)
            cut = torch.cat([cut, to_float(images[..., place[0], mirrored].to(device)).flip(-1)])
        return cut.flatten(1)


@dataclass(frozen=True)
class _Moments:
    """Mean (D,) and covariance (D, D) of known pictures, and correlations that are the same everywhere (D, D)."""

    mean: Tensor
    known: Tensor
    alike: Tensor

    def covariance(self, stationary: float, shrinkage: float) -> Tensor:
        """A mixture of what is known of each place, of all places alike, and of no other place."""
        scale = self.known.diagonal().sqrt()
        mixed = (1 - stationary) * self.known + stationary * (scale[:, None] * self.alike * scale)
        spread = self.known.diagonal().mean().clamp_min(1e-8)
        mixed.mul_(1 - shrinkage).diagonal().add_(shrinkage * spread)
        return mixed


def _conditional_mean(shown: Tensor, kept: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Mean of all values given the kept ones: (N, D) values and which of them are kept → (N, D).

    Images keep different numbers of values, so short lists are filled up with equations that say 0 = 0.
    """
    masks, place = kept.unique(dim=0, return_inverse=True)
    most = max(1, int(masks.sum(1).max()))
    order = masks.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
    is_kept = masks.gather(1, order)
    equations = covariance[order[:, :, None], order[:, None, :]]
    equations.mul_(is_kept[:, :, None] & is_kept[:, None, :])
    equations.diagonal(dim1=1, dim2=2).add_(~is_kept)
    roots = torch.linalg.cholesky(equations)
    known = (shown - mean).gather(1, order[place]) * is_kept[place]
    weights = torch.cholesky_solve(known[..., None], roots[place])[..., 0] * is_kept[place]
    return torch.zeros_like(shown).scatter_add_(1, order[place], weights) @ covariance + mean


def _best(models: Sequence[_Model], aux: Aux) -> _Model:
    """The model that restores a block in the middle best, by mean squared error on the validation part."""
    release = aux.validation.release.select(slice(_COMPARED))
    raw = aux.validation.raw_images[:_COMPARED]
    windows = list(_windows(*raw.shape[2:]))
    block, window = windows[len(windows) // 2]
    moments = models[0].moments(window, aux.device) if models[0].released is None else None

    def error(model: _Model) -> float:
        guessed = model.restored(release, block, window, aux.device, moments).cpu()
        return float((guessed - raw[..., block[0], block[1]]).square().mean())

    return min(models, key=error)


def _windows(height: int, width: int) -> Iterator[tuple[Place, Place]]:
    """The blocks of an image, each with the window around it that it is restored from.

    Work grows with the cube of a window's size, so large images are restored in blocks.
    """
    for rows in _spans(height):
        for columns in _spans(width):
            yield (rows[0], columns[0]), (rows[1], columns[1])


def _spans(side: int) -> list[tuple[slice, slice]]:
    whole = _BLOCK + 2 * _MARGIN
    if side <= whole:
        return [(slice(0, side), slice(0, side))]
    spans = []
    for start in range(0, side, _BLOCK):
        first = min(max(0, start - _MARGIN), side - whole)
        spans.append((slice(start, min(side, start + _BLOCK)), slice(first, first + whole)))
    return spans


def _shape(place: Place) -> tuple[int, int]:
    rows, columns = (part.stop - part.start for part in place)
    return rows, columns


def _inside(block: Place, window: Place) -> Place:
    """Where a block lies in its window."""
    rows, columns = (
        slice(inner.start - outer.start, inner.stop - outer.start) for inner, outer in zip(block, window, strict=True)
    )
    return rows, columns
