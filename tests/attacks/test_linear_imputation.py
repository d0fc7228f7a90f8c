"""Linear imputation against a dense solution of the equations as they are written down."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from maskbench.attacks.linear_imputation import LinearImputation, impute
from numpy.typing import NDArray
from restoration_cases import CPU, released


def dense(picture: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Each hidden pixel is the weighted mean of its neighbours within the image: 1/6 direct, 1/12 diagonal."""
    height, width = hole.shape
    matrix, right = np.eye(hole.size), picture.reshape(hole.size, -1).copy()
    for y, x in np.argwhere(hole):
        row = y * width + x
        right[row] = 0
        total = 0.0
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                inside = 0 <= y + down < height and 0 <= x + across < width
                if inside and (down, across) != (0, 0):
                    weight = 1 / 6 if 0 in (down, across) else 1 / 12
                    matrix[row, (y + down) * width + x + across] = -weight
                    total += weight
        matrix[row, row] = total
    return np.linalg.solve(matrix, right).reshape(picture.shape)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("hidden", [0.3, 0.75, 0.97])
@pytest.mark.parametrize("size", [(9, 9), (12, 7), (1, 8), (2, 2)], ids=str)
def test_the_dense_solution(size: tuple[int, int], hidden: float, channels: int) -> None:
    generator = np.random.default_rng(0)
    picture, hole = generator.random((*size, channels)), generator.random(size) < hidden
    hole[0, 0] = False
    assert np.allclose(impute(picture, hole), dense(picture, hole), atol=1e-10)


def test_a_ramp_is_continued() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 16)[None, :, None], (12, 16, 1)).copy()
    hole = np.zeros((12, 16), dtype=bool)
    hole[3:9, 4:12] = True
    assert np.allclose(impute(np.where(hole[:, :, None], 0, ramp), hole), ramp)


def test_noise_is_as_strong_as_said_and_kept_pixels_have_none() -> None:
    release = released((3, 48, 32))
    clean, noisy = (LinearImputation(noise=noise).with_state(1).restore(release, CPU) for noise in (0.0, 0.01))
    within = (clean > 0.05) & (clean < 0.95) & (release.masks == 0)
    assert float((noisy - clean)[within].std()) == pytest.approx(0.01, rel=0.05)
    assert torch.equal(noisy * release.masks, clean * release.masks)


def test_noise_depends_on_the_seed_and_the_image() -> None:
    release = released((3, 48, 32)).select(slice(2, None))
    attack = LinearImputation(noise=0.01)
    one, other = (attack.with_state(seed).restore(release, CPU) for seed in (1, 2))
    assert not torch.equal(one, other)
    draws = one - LinearImputation().restore(release, CPU)
    hidden = (release.masks[0] == 0) & (release.masks[1] == 0)
    assert not torch.allclose(draws[0][hidden.expand(3, -1, -1)], draws[1][hidden.expand(3, -1, -1)], atol=1e-3)
