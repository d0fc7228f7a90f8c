"""Sobel masks, against scikit-image one image at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mask_cases import SHAPES, broken_promises, images
from maskbench.methods.edge_masks import Sobel, edge_magnitude
from skimage.filters import sobel_h, sobel_v


@pytest.mark.parametrize("geometry", ["pixel", "patch"])
def test_promises(geometry: str) -> None:
    assert list(broken_promises(Sobel, geometry=geometry)) == []


def test_edge_magnitude_is_that_of_scikit_image() -> None:
    wrong = []
    for shape in SHAPES:
        pictures = images(shape)
        for number, (image, ours) in enumerate(zip(pictures.double().numpy(), edge_magnitude(pictures), strict=True)):
            squares = sum(sobel_h(channel) ** 2 + sobel_v(channel) ** 2 for channel in image)
            expected = 4 * 255 * np.sqrt(squares)  # scikit-image divides by 4 and repeats the border too
            if not np.allclose(ours[0].numpy(), expected, atol=1e-2):
                wrong.append((shape, number, float(np.abs(ours[0].numpy() - expected).max())))
    assert wrong == []


def test_an_edge_stays_and_what_is_flat_goes() -> None:
    halves = torch.zeros(1, 1, 32, 32)
    halves[..., 16:] = 1
    release = Sobel(ratio=1 - 2 / 32, geometry="pixel").release(halves, seed=0, numbers=torch.arange(1))
    expected = torch.zeros(32)
    expected[15:17] = 1
    assert torch.equal(release.masks[0, 0], expected.expand(32, 32))
