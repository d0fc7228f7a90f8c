"""Biharmonic inpainting: hidden pixels solve Δ²u = 0, with what is kept around them as the boundary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import splu

_BANDED = 2**31
"""Multiplications of a banded solver up to which it is the faster one: most images below 200 px on a side."""


def biharmonic(picture: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Inpaint one image as ``skimage.restoration.inpaint_biharmonic`` does, within 1e-9 of it.

    The discrete Laplacian with mirrored borders is symmetric; so is its square, and the part of that which belongs to
    the hidden pixels is positive definite where a pixel is kept. So Cholesky's method serves, and on images, whose
    pixels are numbered row by row, the matrix has a narrow band.

    Args:
        picture: (H, W, C).
        hole: (H, W), true where a pixel is hidden; not everywhere.

    Returns:
        (H, W, C): kept pixels as they are, hidden ones within what each channel shows of kept ones.
    """
    if not hole.any():
        return picture
    if hole.shape[1] > hole.shape[0]:  # the band is as wide as two rows
        return np.ascontiguousarray(biharmonic(picture.swapaxes(0, 1), hole.T).swapaxes(0, 1))
    equations, hidden = _equations(*hole.shape), hole.ravel()
    pixels = picture.reshape(hidden.size, -1).copy()
    known = np.where(hidden[:, None], 0.0, pixels)
    told = -(equations.matrix @ known)[hidden]
    shown = pixels[~hidden]
    pixels[hidden] = _solved(equations, hidden, told).clip(shown.min(0), shown.max(0))
    return pixels.reshape(picture.shape)


@dataclass(frozen=True)
class _Equations:
    """Δ² of an image, a row a pixel; and its lower triangle: rows, columns, values."""

    matrix: csr_array
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    values: NDArray[np.float64]


@lru_cache(maxsize=8)
def _equations(height: int, width: int) -> _Equations:
    places = np.arange(height * width).reshape(height, width)
    here = np.concatenate([places[:, :-1].ravel(), places[:-1].ravel()])
    there = np.concatenate([places[:, 1:].ravel(), places[1:].ravel()])
    where = (np.concatenate([here, there]), np.concatenate([there, here]))
    neighbours = csr_array((np.ones(2 * here.size), where), shape=(places.size, places.size))
    laplacian = diags_array(neighbours.sum(axis=1)) - neighbours
    matrix = csr_array(laplacian @ laplacian)
    entries = matrix.tocoo()
    lower = entries.row >= entries.col
    return _Equations(matrix, entries.row[lower], entries.col[lower], entries.data[lower])


def _solved(equations: _Equations, hidden: NDArray[np.bool_], told: NDArray[np.float64]) -> NDArray[np.float64]:
    number = np.cumsum(hidden) - 1
    inside = hidden[equations.rows] & hidden[equations.columns]
    rows, columns = number[equations.rows[inside]], number[equations.columns[inside]]
    below = rows - columns
    count, band = len(told), int(below.max()) + 1
    if count * band**2 > _BANDED:
        return _solved_sparsely(equations.matrix, np.flatnonzero(hidden), told)
    bands = np.zeros((band, count), order="F")
    bands[below, columns] = equations.values[inside]
    return solveh_banded(bands, told, lower=True, overwrite_ab=True, overwrite_b=True, check_finite=False)


def _solved_sparsely(matrix: csr_array, hidden: NDArray[np.intp], told: NDArray[np.float64]) -> NDArray[np.float64]:
    # SuperLU's way with a symmetric matrix: an order that keeps it symmetric, and no pivoting.
    factors = splu(
        matrix[hidden][:, hidden].tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return np.asarray(factors.solve(told))
