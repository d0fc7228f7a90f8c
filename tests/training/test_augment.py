from __future__ import annotations

import pytest
import torch
from maskbench.training.augment import shift_and_flip
from torch import Tensor

COUNT, HEIGHT, WIDTH = 64, 20, 24


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _pairs() -> tuple[Tensor, Tensor]:
    """Images whose second channel repeats the mask, over content that is never 0."""
    masks = torch.randint(0, 2, (COUNT, 1, HEIGHT, WIDTH), generator=_generator(1), dtype=torch.uint8)
    content = torch.randint(1, 256, (COUNT, 1, HEIGHT, WIDTH), generator=_generator(2), dtype=torch.uint8)
    return torch.cat([content, masks], dim=1), masks


@pytest.mark.parametrize(("padding", "flip"), [(0, True), (3, False), (3, True)])
def test_image_and_mask_stay_aligned(padding: int, flip: bool) -> None:
    images, masks = _pairs()
    moved, moved_masks = shift_and_flip(images, masks, padding=padding, flip=flip, generator=_generator())
    assert moved.shape == images.shape and moved.dtype == torch.uint8
    assert torch.equal(moved[:, 1:], moved_masks)
    assert not torch.equal(moved, images)


def test_what_comes_in_is_zero_and_hidden() -> None:
    images, masks = _pairs()
    moved, moved_masks = shift_and_flip(images, torch.ones_like(masks), padding=3, flip=False, generator=_generator())
    came_in = moved[:, :1] == 0  # the content is never 0
    assert came_in.any()
    assert torch.equal(moved_masks == 0, came_in)


def test_every_shift_within_the_padding_happens_and_none_beyond() -> None:
    padding = 2
    columns = torch.arange(1, WIDTH + 1, dtype=torch.uint8).expand(2000, 1, HEIGHT, WIDTH)
    moved, _ = shift_and_flip(columns, None, padding=padding, flip=False, generator=_generator())
    middle = WIDTH // 2
    rows = moved[:, 0, HEIGHT // 2, middle].int() - (middle + 1)
    assert sorted(rows.unique().tolist()) == [-2, -1, 0, 1, 2]


def test_half_of_the_images_are_mirrored() -> None:
    columns = torch.arange(WIDTH, dtype=torch.uint8).expand(2000, 1, HEIGHT, WIDTH)
    moved, _ = shift_and_flip(columns, None, padding=0, flip=True, generator=_generator())
    mirrored = (moved == columns.flip(-1)).flatten(1).all(dim=1)
    assert torch.equal(mirrored, ~(moved == columns).flatten(1).all(dim=1))
    assert 0.45 < mirrored.float().mean() < 0.55


def test_nothing_is_done_and_nothing_drawn_where_nothing_is_asked() -> None:
    images, masks = _pairs()
    generator = _generator()
    moved, moved_masks = shift_and_flip(images, masks, padding=0, flip=False, generator=generator)
    assert torch.equal(moved, images) and torch.equal(moved_masks, masks)
    assert torch.equal(generator.get_state(), _generator().get_state())


def test_a_negative_padding_is_refused() -> None:
    images, masks = _pairs()
    with pytest.raises(ValueError, match="padding"):
        shift_and_flip(images, masks, padding=-1, flip=False, generator=_generator())


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_moves_as_the_cpu_does() -> None:
    images, masks = _pairs()
    here = shift_and_flip(images, masks, padding=3, flip=True, generator=_generator())
    there = shift_and_flip(images.cuda(), masks.cuda(), padding=3, flip=True, generator=_generator())
    assert all(torch.equal(a, b.cpu()) for a, b in zip(here, there, strict=True))
