from __future__ import annotations

import pytest
import torch
from maskbench.training.loader import Batches, image_batch

CPU = torch.device("cpu")


def _batches(count: int, batch_size: int, seed: int = 0) -> Batches:
    generator = torch.Generator().manual_seed(seed)
    return Batches([torch.arange(count), None], batch_size=batch_size, device=CPU, generator=generator)


def test_an_epoch_shows_everything_once_in_even_batches() -> None:
    batches = _batches(65, 64)
    parts = [numbers for numbers, nothing in batches.epoch() if nothing is None]
    assert [len(part) for part in parts] == [33, 32] and len(batches) == 2
    assert sorted(torch.cat(parts).tolist()) == list(range(65))


def test_the_order_follows_the_seed_and_changes_with_the_epoch() -> None:
    def order(batches: Batches) -> list[int]:
        return torch.cat([numbers for numbers, _ in batches.epoch()]).tolist()

    first, again, other = _batches(50, 8), _batches(50, 8), _batches(50, 8, seed=1)
    epochs = [order(first), order(first)]
    assert epochs == [order(again), order(again)]
    assert epochs[0] != epochs[1] and epochs[0] != order(other)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="equally long"):
        Batches([torch.zeros(3), torch.zeros(4)], batch_size=2, device=CPU, generator=torch.Generator().manual_seed(0))


def test_images_become_floats_in_the_unit_range() -> None:
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    floats = image_batch(images)
    assert floats.dtype == torch.float32 and floats.min() == 0 and floats.max() == 1
    assert torch.equal((floats * 255).round().byte(), images)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("free", [1 << 40, 0])
def test_cuda_batches_are_those_of_the_cpu(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    generator = torch.Generator().manual_seed(0)
    there = Batches([torch.arange(50)], batch_size=8, device=torch.device("cuda", 0), generator=generator)
    here = _batches(50, 8)
    for (ours, _), (theirs,) in zip(here.epoch(), there.epoch(), strict=True):
        assert theirs.device.type == "cuda" and torch.equal(ours, theirs.cpu())
