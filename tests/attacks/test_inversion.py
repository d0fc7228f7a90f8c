"""Linear methods are found by running them, and undone nearly as well as can be; others do no harm."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from maskbench import Aux, Known, Release, Unavailable, method
from maskbench.attacks._linear_map import ROUNDING, LinearMap
from maskbench.attacks.inversion import Inversion
from maskbench.training.settings import RESTORATION
from restoration_cases import CPU
from torch import Tensor
from torch.nn import functional as F

Releasing = Callable[[Tensor, int], Release]
SIZE = (16, 16)


def pictures(count: int, channels: int = 1, seed: int = 0) -> Tensor:
    """Smooth Gaussian fields about a ramp: float32 (N, C, 16, 16), on the 8-bit grid."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, channels, *SIZE, generator=generator)
    smooth = F.conv2d(noise, torch.ones(channels, 1, 5, 5) / 25, padding=2, groups=channels)
    return (0.5 + 0.4 * smooth + torch.linspace(-0.1, 0.1, SIZE[1])).clamp(0, 1).mul(255).round() / 255


def running(name: str) -> Releasing:
    """What runs a method of the product on any pictures."""
    chosen = method(name)

    def release(images: Tensor, draw: int) -> Release:
        floats = images.float() / 255 if images.dtype == torch.uint8 else images
        return chosen.release(floats, seed=draw, numbers=torch.arange(len(floats)))

    return release


def aux(raw: Tensor, release: Releasing | None, mirror: bool = False, device: torch.device = CPU) -> Aux:
    shown = running("raw")(raw, 0) if release is None else release(raw, 0)
    first, rest = slice(None, -40), slice(-40, None)
    return Aux(
        train=Known(raw[first], shown.select(first)),
        validation=Known(raw[rest], shown.select(rest)),
        training=RESTORATION,
        mirror=mirror,
        seed=0,
        device=device,
        release=release,
    )


def blur_matrix(strength: float = 0.12) -> Tensor:
    """What ``gaussian-blur`` does to 256 pixels, from its definition: float64."""
    from maskbench.methods.blur import blur_matrix as line

    rows, columns = (line(length, strength * SIZE[1], CPU).T for length in SIZE)
    return torch.kron(rows, columns)


def error(found: Tensor, truth: Tensor) -> float:
    return float((found - truth).square().mean())


@pytest.mark.parametrize("most", [1000, 200], ids=["all values", "combinations of them"])
def test_the_map_of_a_method_is_found(most: int) -> None:
    raw = pictures(60, channels=3)
    release = running("gaussian-blur:strength=0.12")
    found = LinearMap.found(release, raw.double(), release(raw, 0).images.double(), most=most, seed=1)
    basis = torch.eye(256, dtype=torch.float64) if found.basis is None else found.basis
    assert found.matrix.shape == (min(most, 256), 256)
    assert torch.allclose(found.matrix, basis.T @ blur_matrix(), atol=1e-3)
    assert float(found.offset.abs().max()) < 0.01
    assert float(found.noise.diagonal().max()) < 2 * ROUNDING


@pytest.mark.parametrize("name", ["gaussian-blur:strength=0.12", "pixelate:block=4", "pixelate:block=5"])
def test_it_comes_near_the_best_that_there_is_in_a_gaussian_world(name: str) -> None:
    """With the true map, and the covariance of many pictures, the error is the least possible."""
    release = running(name)
    attack = Inversion()
    attack = attack.with_state(attack.fit(aux(pictures(340), release)))
    truth = pictures(200, seed=5)
    shown = release(truth, 0)
    many = pictures(20_000, seed=9).flatten(1).double()
    mean, covariance = many.mean(0), torch.cov(many.T)
    outcomes = release(many[:4000].float().view(-1, 1, *SIZE), 0).images.flatten(1).double()
    matrix = torch.linalg.lstsq(many[:4000] - mean, outcomes - outcomes.mean(0)).solution.T
    equations = matrix @ covariance @ matrix.T + ROUNDING * torch.eye(256, dtype=torch.float64)
    best = mean + (shown.images.flatten(1).double() - matrix @ mean) @ torch.linalg.solve(
        equations, matrix @ covariance
    )
    least = error(best.view_as(truth), truth)
    assert error(attack.restore(shown, CPU), truth) < 1.3 * least + 1e-5
    assert error(attack.restore(shown, CPU), truth) < 0.7 * error(shown.images, truth)


@pytest.mark.parametrize("name", ["dp-pix", "folded"])
def test_what_is_not_linear_passes_for_noise(name: str) -> None:
    """It then restores no worse than the mean picture."""
    raw = pictures(240, channels=3)
    chosen = running(name) if name == "dp-pix" else _folded
    attack = Inversion()
    attack = attack.with_state(attack.fit(aux(raw, chosen)))
    truth = pictures(60, channels=3, seed=5)
    found = attack.restored(chosen(truth, 7), CPU)
    assert error(found, truth) < 1.1 * error(raw.mean(0).expand_as(truth), truth)


def _folded(images: Tensor, draw: int) -> Release:
    """How far each value is from grey: no linear map comes near it."""
    floats = images.float() / 255 if images.dtype == torch.uint8 else images
    return Release(((floats - 0.5).abs() * 2).mul(255).round() / 255)


def test_without_the_method_it_says_so() -> None:
    with pytest.raises(Unavailable, match="run the method"):
        Inversion().fit(aux(pictures(60), None))


def test_each_picture_is_restored_by_itself() -> None:
    release = running("pixelate:block=4")
    attack = Inversion(stationary=0.1)
    attack = attack.with_state(attack.fit(aux(pictures(60), release)))
    shown = release(pictures(9, seed=3), 0)
    whole = attack.restored_bytes(shown, CPU)
    parts = [attack.restored_bytes(shown.select(slice(start, start + 4)), CPU) for start in (0, 4, 8)]
    assert torch.equal(whole, torch.cat(parts))


@pytest.mark.cuda
def test_cuda_agrees_with_the_cpu() -> None:
    release = running("gaussian-blur:strength=0.12")
    shown = release(pictures(20, channels=3, seed=3), 0)
    found = []
    for name in ("cpu", "cuda"):
        attack = Inversion()
        state = attack.fit(aux(pictures(120, channels=3), release, mirror=True, device=torch.device(name)))
        found.append(attack.with_state(state).restore(shown, torch.device(name)))
    assert torch.allclose(found[0], found[1], atol=1e-3)
