"""Random masks: the ratio exactly, and nothing of the image in where."""

from __future__ import annotations

import pytest
import torch
from mask_cases import broken_promises, images
from maskbench.methods.random_masks import Random
from maskbench.plugins.catalogue import create

SHAPE = (3, 32, 32)


@pytest.mark.parametrize("parameters", [{"geometry": "pixel"}, {"patch": 4}, {"patch": 5}])
def test_promises(parameters: dict[str, object]) -> None:
    broken = list(broken_promises(Random, **parameters))
    assert not broken, "\n".join(broken)


def test_where_says_nothing_of_the_image() -> None:
    method = create("method", "random", {})
    shown = images(SHAPE)
    numbers = torch.arange(len(shown))
    masks = method.release(shown, seed=3, numbers=numbers).masks
    assert torch.equal(masks, method.release(1 - shown, seed=3, numbers=numbers).masks)
    assert not torch.equal(masks, method.release(shown, seed=4, numbers=numbers).masks)


def test_every_place_is_kept_as_often() -> None:
    method = create("method", "random", {"ratio": 0.75})
    count = 4000
    masks = method.release(torch.zeros(count, 1, 32, 32), seed=0, numbers=torch.arange(count)).masks
    kept = masks.mean(dim=(0, 1))
    # Five standard deviations of a share of 0.25 among 4,000.
    assert float((kept - 0.25).abs().max()) < 5 * (0.25 * 0.75 / count) ** 0.5
