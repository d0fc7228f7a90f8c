from __future__ import annotations

import pytest
import torch
from maskbench.attacks._denoiser import Denoiser, signal_and_noise, train_denoiser
from maskbench.conformance.samples import pictures
from maskbench.randomness import seeded
from maskbench.release import to_bytes
from maskbench.training.settings import Training

CPU = torch.device("cpu")
TRAINING = Training(epochs=4, batch_size=16, learning_rate=6e-3, weight_decay=1e-4)


def test_signal_and_noise_go_from_one_to_the_other() -> None:
    signal, noise = signal_and_noise(torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(signal.square() + noise.square(), torch.ones(3))
    assert signal[0] == 1 and noise[0] == 0
    assert float(signal[2]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("size", [(32, 32), (28, 28), (48, 32), (17, 23)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_comes_back(size: tuple[int, int], channels: int) -> None:
    network = Denoiser(channels, width=8)
    noisy = torch.randn(2, channels, *size)
    assert network(noisy, torch.tensor([0.1, 0.9])).shape == noisy.shape


def test_an_image_is_treated_on_its_own_and_by_its_own_level() -> None:
    network = _trained(0, epochs=20)  # it starts by answering 0 at any level
    noisy, levels = torch.randn(3, 3, 32, 32), torch.tensor([0.2, 0.5, 0.9])
    together = network(noisy, levels)
    alone = torch.cat([network(noisy[at : at + 1], levels[at : at + 1]) for at in range(3)])
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(network(noisy, levels.flip(0))[0], together[0], atol=1e-2)


def test_trained_it_takes_noise_away() -> None:
    network = _trained(0, count=64, epochs=30).eval()
    images = pictures(torch.arange(1000, 1016), (3, 32, 32)) * 2 - 1
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(3))
    level = torch.full((16,), 0.4)
    signal, spread = (share[:, None, None, None] for share in signal_and_noise(level))
    noisy = signal * images + spread * noise
    with torch.no_grad():
        clean = network(noisy, level)
    assert (clean - images).square().mean() < (noisy - images).square().mean() / 3


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    first, again, other = (_trained(seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["enter.weight"], other["enter.weight"])


def test_a_width_that_no_group_divides_is_refused() -> None:
    with pytest.raises(ValueError, match="divisible"):
        Denoiser(3, width=12)


def _trained(seed: int, *, count: int = 32, epochs: int = 1) -> Denoiser:
    raw = to_bytes(pictures(torch.arange(count), (3, 32, 32)))
    with seeded(seed):
        network = Denoiser(3, width=8)
    training = TRAINING.model_copy(update={"epochs": epochs})
    losses = train_denoiser(network, raw, training=training, flip=True, seed=seed, device=CPU)
    assert len(losses) == epochs
    return network
