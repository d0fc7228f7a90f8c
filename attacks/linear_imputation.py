"""Noisy linear imputation: every hidden pixel is the weighted mean of its eight neighbours, all solved at once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from maskbench import Aux, Randomness, Release, RestorationAttack, content_numbers, map_images
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import splu
from torch import Tensor

_GREY = 0.5  # where nothing at all is kept there is nothing to continue
_DIRECT, _DIAGONAL = 1 / 6, 1 / 12
_FORWARD = {(0, 1): _DIRECT, (1, 0): _DIRECT, (1, 1): _DIAGONAL, (1, -1): _DIAGONAL}  # the other four mirror these


class LinearImputation(RestorationAttack):
    """Noisy linear imputation: hidden pixels are weighted means of their neighbours, hidden ones included."""

    name: ClassVar[str] = "linear-imputation"
    source: ClassVar[str] = "2202.00449, section 4 (ROAD); weights as in the authors' code"
    needs_masks: ClassVar[bool] = True
    cpu_only: ClassVar[bool] = True

    # The authors' code (NoisyLinearImputer) adds 0.01, so that imputed pixels cannot be told from the others. To a
    # restoration it is a loss: over the holes of 128 images each of cifar10-jpeg (32 px) and flowers128 (64 px), 75 %
    # hidden at random, in patches and in pixels, it cost 0.02 to 0.07 dB and 0.009 to 0.013 of SSIM.
    noise: float = Field(0.0, ge=0, le=1, description="standard deviation of the noise added to hidden pixels")

    def fit(self, aux: Aux) -> Any:
        return aux.seed

    def restore(self, release: Release, device: torch.device) -> Tensor:
        pictures = release.images.permute(0, 2, 3, 1).double().contiguous().numpy()
        holes = (release.kept[:, 0] == 0).numpy()
        restored = torch.from_numpy(np.stack(map_images(impute, pictures, holes))).permute(0, 3, 1, 2).float()
        if self.noise > 0:
            draws = Randomness(self.state, content_numbers(release)).normal(*release.images.shape[1:])
            restored = torch.where(release.kept == 1, restored, restored + self.noise * draws)
        return restored.clamp(0, 1)


def impute(picture: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Solve for the hidden pixels of one image, H W C; ``hole`` is H W. Grey where no pixel is kept.

    The matrix is the part of the graph Laplacian that belongs to the hidden pixels: symmetric, and positive definite
    where a pixel is kept.
    """
    if hole.all():
        return np.full_like(picture, _GREY)
    if not hole.any():
        return picture
    hidden, kept = np.flatnonzero(hole), np.flatnonzero(~hole)
    pixels = picture.reshape(hole.size, -1).copy()
    equations = _laplacian(*hole.shape)[hidden]
    # SuperLU's way with such a matrix: an order that keeps it symmetric, and no pivoting.
    factors = splu(
        equations[:, hidden].tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    pixels[hidden] = factors.solve(-(equations[:, kept] @ pixels[kept]))
    return pixels.reshape(picture.shape)


@lru_cache(maxsize=8)
def _laplacian(height: int, width: int) -> csr_array:
    """Σ over a pixel's neighbours in the image of weight × (pixel − neighbour), for each pixel, row by row."""
    places = np.arange(height * width).reshape(height, width)
    rows, columns, weights = [], [], []
    for (down, right), weight in _FORWARD.items():
        here = places[: height - down, max(0, -right) : width - max(0, right)].ravel()
        there = places[down:, max(0, right) : width + min(0, right)].ravel()
        rows += [here, there]
        columns += [there, here]
        weights.append(np.full(2 * here.size, weight))
    where = (np.concatenate(rows), np.concatenate(columns))
    adjacency = csr_array((np.concatenate(weights), where), shape=(places.size, places.size))
    return csr_array(diags_array(adjacency.sum(axis=1)) - adjacency)
