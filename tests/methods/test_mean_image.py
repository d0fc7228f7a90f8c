"""The average of the training set, for everybody."""

from __future__ import annotations

import torch
from mask_cases import fitted, images, released
from maskbench.methods.mean_image import MeanImage


def test_every_image_is_released_as_the_mean() -> None:
    for shape in [(1, 28, 28), (3, 48, 32)]:
        method = fitted(MeanImage(), shape)
        release = released(method, shape)
        assert release.masks is None
        assert torch.equal(release.images, release.images[:1].expand_as(release.images))
        # Half a step of 8 bits.
        assert float((release.images[0] - images(shape).mean(dim=0)).abs().max()) <= 0.5 / 255 + 1e-6
