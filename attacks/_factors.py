"""A Gaussian model of pictures, and what kept pixels say by it.

Pictures are x = mean + loadings · z + noise, z standard normal: factor analysis, whose noise has a variance for each
value. Without masks its factors are principal components, up to scale. With masks they are their mean given what is
kept: the best guess of the components that a Gaussian model allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from maskbench import Release
from torch import Tensor

_FLOOR = 1e-5  # of a value's variance: that of rounding to eight bits, about; some values never vary
_ENTRIES = 50_000_000  # of the pictures that a model is learned from: 200 MB
_CHUNK, _BLOCK = 256, 64  # pictures, and patches of pixels, that are worked on at once


@dataclass(frozen=True)
class Factors:
    """The model of D values, on one device.

    Attributes:
        mean: float32 (D,).
        loadings: float32 (D, K).
        noise: float32 (D,), variances.
    """

    mean: Tensor
    loadings: Tensor
    noise: Tensor

    @staticmethod
    def fitted(pictures: Tensor, count: int, about: Tensor | None = None) -> Factors:
        """Learn a model by principal components (Tipping and Bishop 1999), with the rest as noise of each value.

        The covariance is shrunk towards a multiple of the identity by the oracle approximation of Chen, Wiesel, Eldar
        and Hero ("Shrinkage Algorithms for MMSE Covariance Estimation", 2010, equation 23): in a few pictures the
        first components look larger than they are, and the last ones smaller.

        Args:
            pictures: float32 (N, …); some of them where there are very many values.
            count: factors, K; fewer where pictures or values are.
            about: float32 (N, …): the means that pictures vary about, such as those of their class.
        """
        rows = pictures.flatten(1)
        centres = rows.mean(0).expand_as(rows) if about is None else about.flatten(1)
        deviations = (rows - centres)[:: max(1, -(-rows.numel() // _ENTRIES))]
        used, values = deviations.shape
        kept = max(1, min(count, used - 1, values - 1))
        if 4 * kept < min(used, values):
            _, scales, directions = torch.svd_lowrank(deviations, q=kept + 16, niter=4)
        else:
            _, scales, rows_of = torch.linalg.svd(deviations, full_matrices=False)
            directions = rows_of.T
        directions, variances = directions[:, :kept], scales[:kept].square() / used
        variance = deviations.square().mean(0)
        shrunk = _shrinkage(float(variance.sum()), float(variances.square().sum()), used, values)
        rest = (variance - (directions.square() * variances).sum(1)).clamp_min(0)
        noise = (1 - shrunk) * rest + shrunk * variance.mean() + _FLOOR
        return Factors(rows.mean(0), directions * ((1 - shrunk) * variances).sqrt(), noise)

    def projected(self, points: Tensor) -> Tensor:
        """The nearest points that the factors reach: float32 (M, D), for (M, D). Beyond them all passes for noise."""
        directions = torch.linalg.qr(self.loadings).Q
        return self.mean + (points - self.mean) @ directions @ directions.T

    def coordinates(self, release: Release) -> Tensor:
        """The mean of the factors given the pixels that a release keeps: float32 (N, K), on the model's device."""
        return torch.cat(
            [torch.cholesky_solve(seen[..., None], roots)[..., 0] for seen, roots, *_ in self._parts(release)]
        )

    def filled(self, release: Release) -> Tensor:
        """The mean picture given the pixels that a release keeps: float32 (N, C, H, W) in [0, 1], on the CPU."""
        if release.masks is None:
            return release.images
        found = self.mean + self.coordinates(release) @ self.loadings.T
        guessed = found.view(release.images.shape).clamp(0, 1).cpu()
        return torch.where(release.masks == 1, release.images, guessed)

    def log_likelihoods(self, release: Release, means: Tensor) -> Tensor:
        """How likely kept pixels are under each of several means: float32 (N, M), but for a number for each picture.

        Args:
            means: float32 (M, D), in the place of the model's own.
        """
        offsets = (means - self.mean).T  # (D, M)
        weighted = offsets / self.noise[:, None]
        sides = (self.loadings[..., None] * weighted[:, None]).flatten(1)  # (D, K · M)
        found = []
        for seen, roots, deviations, kept in self._parts(release):
            shifts = (kept @ sides).unflatten(1, (self.loadings.shape[1], -1))  # (N, K, M)
            solved = torch.cholesky_solve(torch.cat([seen[..., None], shifts], dim=2), roots)
            along = torch.einsum("nkm,nk->nm", shifts, solved[..., 0])
            square = kept @ (offsets * weighted) - (shifts * solved[..., 1:]).sum(1)
            found.append(deviations @ weighted - along - square / 2)
        return torch.cat(found)

    def _parts(self, release: Release) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Loadingsᵀ · x/noise (N, K), roots of the precisions (N or 1, K, K), deviations x and what is kept (N, D)."""
        device, weighted = self.mean.device, self.loadings / self.noise[:, None]
        for start in range(0, len(release), _CHUNK):
            images = release.images[start : start + _CHUNK].to(device)
            if release.masks is None:
                kept, place = torch.ones_like(images[:1, :1]).flatten(1), slice(None)
            else:
                masks = release.masks[start : start + _CHUNK].to(device).flatten(1)
                kept, place = masks.unique(dim=0, return_inverse=True)
            roots = torch.linalg.cholesky(self._precisions(kept))[place]
            shown = kept[place].repeat(1, images.shape[1]).expand(len(images), -1)
            deviations = (images.flatten(1) - self.mean) * shown
            yield deviations @ weighted, roots, deviations, shown

    def _precisions(self, kept: Tensor) -> Tensor:
        """1 + loadingsᵀ · loadings / noise over what each of M masks (M, pixels) keeps: (M, K, K)."""
        size = self.loadings.shape[1]
        scaled = self.loadings / self.noise.sqrt()[:, None]
        patches, group = kept.unique(dim=1, return_inverse=True)  # pixels that all of the masks keep or hide together
        by_patch = scaled.view(-1, kept.shape[1], size)[:, group.argsort()].split(group.bincount().tolist(), dim=1)
        found = torch.eye(size, device=self.mean.device).flatten().repeat(len(kept), 1)
        for first in range(0, len(by_patch), _BLOCK):
            products = torch.stack([_gram(rows.flatten(0, 1)) for rows in by_patch[first : first + _BLOCK]])
            found += patches[:, first : first + _BLOCK] @ products.flatten(1)
        return found.view(-1, size, size)


def _gram(rows: Tensor) -> Tensor:
    return rows.T @ rows


def _shrinkage(trace: float, trace_of_square: float, pictures: int, values: int) -> float:
    spread = (pictures + 1 - 2 / values) * (trace_of_square - trace**2 / values)
    return min(1.0, ((1 - 2 / values) * trace_of_square + trace**2) / spread) if spread > 0 else 1.0
