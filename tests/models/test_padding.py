from __future__ import annotations

import numpy as np
import pytest
import torch
from maskbench.models.padding import pad_symmetric


@pytest.mark.parametrize("size", [(8, 8), (7, 13), (3, 1), (2, 8)])  # 3, 1 and 2 are mirrored more than once
def test_it_pads_as_numpy_does(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size)
    ahead = [(0, 0), (0, 0), *((0, -side % 8) for side in size)]
    expected = np.pad(images.numpy(), ahead, mode="symmetric")
    assert np.array_equal(pad_symmetric(images, 8).numpy(), expected)


def test_what_fits_is_left_alone() -> None:
    images = torch.rand(1, 1, 16, 8)
    assert pad_symmetric(images, 8) is images
