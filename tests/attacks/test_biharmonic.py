"""Biharmonic inpainting against scikit-image's, by both solvers, and how its work grows."""

from __future__ import annotations

import numpy as np
import pytest
from maskbench.attacks import _biharmonic
from maskbench.attacks._biharmonic import biharmonic
from numpy.typing import NDArray
from skimage.restoration import inpaint_biharmonic

SHAPES = [(16, 16, 1), (32, 32, 3), (40, 24, 3), (24, 40, 3), (5, 7, 1), (3, 3, 1), (1, 9, 2), (64, 64, 3)]
HOLES = ["pixels", "patches", "block", "one kept", "one hidden", "edge"]


def hole_of(kind: str, height: int, width: int) -> NDArray[np.bool_]:
    """Where pixels are hidden."""
    random = np.random.default_rng(height)
    hole = np.zeros((height, width), dtype=bool)
    if kind == "pixels":
        hole = random.random((height, width)) < 0.75
        hole[0, 0] = False
    elif kind == "patches":
        coarse = random.random((-(-height // 4), -(-width // 4))) < 0.75
        hole = np.kron(coarse, np.ones((4, 4)))[:height, :width] > 0
        hole[-1, -1] = False
    elif kind == "block":
        hole[height // 4 : -(height // 4) or None, width // 4 : -(width // 4) or None] = True
        hole[0, 0] = False
    elif kind == "one kept":
        hole[:] = True
        hole[height // 2, width // 3] = False
    elif kind == "one hidden":
        hole[height // 3, width // 2] = True
    else:
        hole[:, : max(1, width // 2)] = True
    return hole


@pytest.mark.parametrize("banded", [True, False])
@pytest.mark.parametrize("kind", HOLES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_is_what_scikit_image_computes(
    shape: tuple[int, int, int], kind: str, banded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_biharmonic, "_BANDED", 2**40 if banded else 0)
    picture = np.random.default_rng(sum(shape)).random(shape)
    hole = hole_of(kind, *shape[:2])
    before = picture.copy()
    found = biharmonic(picture, hole)
    assert np.array_equal(picture, before)
    assert np.array_equal(found[~hole], picture[~hole])
    if kind == "one kept":  # a plane through one pixel: flat
        assert np.abs(found - picture[~hole]).max() < 1e-9
    elif min(shape[:2]) >= 5:  # below, scikit-image's window of five pixels does not fit
        assert np.abs(found - inpaint_biharmonic(picture, hole, channel_axis=-1)).max() < 1e-9


def test_nothing_hidden_is_nothing_to_do() -> None:
    picture = np.random.default_rng(0).random((8, 8, 3))
    assert np.array_equal(biharmonic(picture, np.zeros((8, 8), dtype=bool)), picture)


def test_the_equations_of_a_size_are_made_once_for_all_images(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    whole = _biharmonic.diags_array
    monkeypatch.setattr(_biharmonic, "diags_array", lambda *given: made.append(0) or whole(*given))
    _biharmonic._equations.cache_clear()
    picture = np.random.default_rng(0).random((12, 12, 3))
    for seed in range(20):
        biharmonic(picture, np.random.default_rng(seed).random((12, 12)) < 0.5)
    assert len(made) == 1


@pytest.mark.parametrize("shape", [(16, 16), (64, 16), (16, 64), (256, 16)])
def test_the_band_is_as_wide_as_two_short_rows_so_work_grows_with_the_long_side(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = []
    solve = _biharmonic.solveh_banded

    def counting(bands: NDArray[np.float64], *given: object, **named: object) -> NDArray[np.float64]:
        widths.append(len(bands))
        return solve(bands, *given, **named)

    monkeypatch.setattr(_biharmonic, "solveh_banded", counting)
    hole = np.ones(shape, dtype=bool)
    hole[0, 0] = False
    biharmonic(np.random.default_rng(0).random((*shape, 1)), hole)
    assert widths == [2 * 16 + 1]
