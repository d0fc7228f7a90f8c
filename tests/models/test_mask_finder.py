from __future__ import annotations

import pytest
import torch
from maskbench.conformance.samples import masks, pictures
from maskbench.fills import FILLS
from maskbench.metrics.masks import mask_iou
from maskbench.models.mask_finder import MaskFinder, like_neighbours
from maskbench.randomness import Randomness, seeded
from maskbench.release import to_bytes
from maskbench.training.mask_finder import find_masks, train_mask_finder
from maskbench.training.settings import RESTORATION
from torch import Tensor

CPU = torch.device("cpu")
SHAPE = (3, 32, 32)
PATCH = 4


def test_neighbours_are_alike_where_all_channels_are() -> None:
    images = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    images[0, :, 1, 1] = images[0, :, 2, 2] = 0.5
    images[1, 0, 1, 1] = images[1, 0, 2, 2] = 0.5  # one channel alone
    expected = torch.zeros(2, 1, 5, 4)
    expected[0, 0, 1, 1] = expected[0, 0, 2, 2] = 1 / 8
    assert torch.equal(like_neighbours(images), expected)


def test_outside_is_like_nothing() -> None:
    assert like_neighbours(torch.zeros(1, 1, 3, 3))[0, 0, 0, 0] == 3 / 8


def _released(fill: str, first: int, count: int) -> tuple[Tensor, Tensor]:
    numbers = torch.arange(first, first + count)
    patches = masks(numbers, (1, SHAPE[1] // PATCH, SHAPE[2] // PATCH), 0.75)
    raw, kept = pictures(numbers, SHAPE), patches.repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
    filled = FILLS[fill](raw, kept, Randomness(0, numbers))
    return to_bytes(torch.where(kept == 1, raw, filled)), kept.to(torch.uint8)


def _found(fill: str, device: torch.device) -> Tensor:
    """How well masks of unseen pictures are found."""
    released, kept = _released(fill, 0, 192)
    with seeded(0):
        network = MaskFinder(SHAPE[0])
    training = RESTORATION.model_copy(update={"epochs": 25})
    losses = train_mask_finder(network, released, kept, training=training, flip=True, seed=0, device=device)
    assert losses[-1] < losses[0]
    released, kept = _released(fill, 1000, 16)
    return mask_iou(find_masks(network, released, device), kept)


@pytest.mark.parametrize(("fill", "least"), [("mean", 0.8), ("blur", 0.4)])
def test_masks_are_found_under_a_fill(fill: str, least: float) -> None:
    """A guess finds a seventh; blur shows what is hidden, so only sharpness tells."""
    found = _found(fill, CPU)
    assert found.mean() > least, found


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_finds_them_too() -> None:
    assert _found("mean", torch.device("cuda")).mean() > 0.95
