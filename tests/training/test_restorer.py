from __future__ import annotations

import pytest
import torch
from maskbench.models.unet import UNet
from maskbench.randomness import seeded
from maskbench.release import Release
from maskbench.training.restorer import restore, train_restorer
from maskbench.training.settings import RESTORATION
from sklearn.datasets import load_digits
from torch import Tensor

CPU = torch.device("cpu")
CELL = 4
SIDE = 32


def _digits(first: int, last: int) -> Tensor:
    images = torch.tensor(load_digits().images[first:last], dtype=torch.float32)[:, None] / 16
    enlarged = torch.nn.functional.interpolate(images, size=SIDE, mode="bilinear")
    return (enlarged.clamp(0, 1) * 255).round().byte()


def _masks(count: int, seed: int) -> Tensor:
    """Keep 16 of the 64 patches of every image."""
    cells = SIDE // CELL
    order = torch.rand(count, cells * cells, generator=torch.Generator().manual_seed(seed)).argsort(1).argsort(1)
    kept = (order < cells * cells // 4).view(count, 1, cells, cells).byte()
    return kept.repeat_interleave(CELL, 2).repeat_interleave(CELL, 3)


def _trained(seed: int, count: int, epochs: int, device: torch.device = CPU) -> UNet:
    raw, masks = _digits(0, count), _masks(count, 1)
    with seeded(seed):
        network = UNet(channels_in=2, channels_out=1)
    training = RESTORATION.model_copy(update={"epochs": epochs})
    losses = train_restorer(network, raw * masks, masks, raw, training=training, flip=False, seed=seed, device=device)
    assert len(losses) == epochs
    return network


def _hole_psnr(restored: Tensor, raw: Tensor, masks: Tensor) -> float:
    hole = masks == 0
    error = (restored - raw.float() / 255)[hole].square().mean()
    return -10 * torch.log10(error).item()


def _gain_over_mean_fill(network: UNet, device: torch.device) -> float:
    raw = _digits(900, 1000)
    masks = _masks(len(raw), 2)
    kept = (raw * masks).float() / 255
    mean = kept.sum((2, 3), keepdim=True) / masks.sum((2, 3), keepdim=True)
    restored = restore(network, raw * masks, masks, device=device)
    assert restored.dtype == torch.float32 and restored.min() >= 0 and restored.max() <= 1
    return _hole_psnr(restored, raw, masks) - _hole_psnr(mean.expand_as(kept), raw, masks)


def test_it_clearly_beats_the_mean_fill() -> None:
    assert _gain_over_mean_fill(_trained(0, 200, 4), CPU) > 5


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    first, again, other = (_trained(seed, 32, 2).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["leave.weight"], other["leave.weight"])


def test_restoring_does_not_depend_on_the_batch() -> None:
    network, raw, masks = _trained(0, 32, 1), _digits(0, 20), _masks(20, 1)
    whole, parts = (restore(network, raw * masks, masks, device=CPU, batch_size=size) for size in (512, 7))
    torch.testing.assert_close(whole, parts, rtol=1e-4, atol=1e-5)


def test_a_release_without_masks_and_with_other_channels_is_restored() -> None:
    grey = _digits(0, 32)
    colour = grey.expand(-1, 3, -1, -1).contiguous()
    network = UNet(channels_in=2, channels_out=3)
    training = RESTORATION.model_copy(update={"epochs": 2, "crop": 2})
    train_restorer(network, grey, None, colour, training=training, flip=True, seed=0, device=CPU)
    assert restore(network, grey, None, device=CPU).shape == colour.shape


def test_what_a_shift_brings_in_is_not_learned() -> None:
    white = torch.full((32, 1, SIDE, SIDE), 255, dtype=torch.uint8)
    network = UNet(channels_in=2, channels_out=1)
    training = RESTORATION.model_copy(update={"epochs": 1, "crop": 8})
    masks = torch.ones_like(white)
    losses = train_restorer(network, white, masks, white, training=training, flip=True, seed=0, device=CPU)
    assert losses[0] < 0.1  # black borders as a target would cost about 0.2


def test_a_picture_and_its_mirror_image_are_restored_and_the_mean_taken() -> None:
    network, raw, masks = _trained(0, 32, 1), _digits(0, 8), _masks(8, 1)
    released = raw * masks
    one = restore(network, released, masks, device=CPU)
    other = restore(network, released.flip(-1), masks.flip(-1), device=CPU).flip(-1)
    assert torch.allclose(restore(network, released, masks, device=CPU, flip=True), (one + other) / 2)
    assert not torch.equal(one, other)


def test_every_epoch_may_see_another_release_of_the_same_pictures() -> None:
    raw, asked = _digits(0, 32), []

    def renewed(epoch: int) -> Release:
        asked.append(epoch)
        masks = _masks(32, 10 + epoch)
        return Release.of_bytes(raw * masks, masks)

    training = RESTORATION.model_copy(update={"epochs": 3})
    networks = []
    for fresh in (renewed, None):
        with seeded(0):
            network = UNet(channels_in=2, channels_out=1)
        masks = _masks(32, 1)
        train_restorer(
            network, raw * masks, masks, raw, training=training, flip=False, seed=0, device=CPU, renewed=fresh
        )
        networks.append(network)
    assert asked == [1, 2]
    assert not torch.equal(*(network.leave.weight for network in networks))


def test_another_number_of_pictures_is_refused() -> None:
    raw, masks = _digits(0, 32), _masks(32, 1)
    with pytest.raises(ValueError, match="32"):
        train_restorer(
            UNet(channels_in=2, channels_out=1),
            raw * masks,
            masks,
            raw,
            training=RESTORATION.model_copy(update={"epochs": 2}),
            flip=False,
            seed=0,
            device=CPU,
            renewed=lambda epoch: Release.of_bytes(raw[:5], masks[:5]),
        )


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_beats_the_mean_fill_too() -> None:
    device = torch.device("cuda", 0)
    assert _gain_over_mean_fill(_trained(0, 300, 6, device), device) > 5
