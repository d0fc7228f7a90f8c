"""P3: the public part keeps its promises, and public plus secret is the original exactly."""

from __future__ import annotations

import pytest
import torch
from maskbench import UsageError
from maskbench.methods.p3 import P3, join, split
from maskbench.release import to_bytes
from obfuscation_checks import SHAPES, check_release, depends_on_the_seed, pictures
from scipy.fft import dctn
from torch import Tensor


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("threshold", [1, 10, 3000])
def test_the_release_keeps_its_contract(shape: tuple[int, int, int], threshold: int) -> None:
    check_release(P3(threshold=threshold), shape)


def test_nothing_is_random() -> None:
    assert not depends_on_the_seed(P3())


def _extremes() -> Tensor:
    checkers = (torch.arange(19)[:, None] + torch.arange(13)) % 2 * 255
    half = (torch.arange(13) > 5).expand(19, 13) * 255
    flat = [torch.full((19, 13), level) for level in (0, 1, 127, 128, 255)]
    return torch.stack([checkers, half, half.flip(1), *flat]).unsqueeze(1).to(torch.uint8)


def _noise(shape: tuple[int, ...]) -> Tensor:
    return torch.randint(256, shape, generator=torch.Generator().manual_seed(0)).to(torch.uint8)


IMAGES = {
    "smooth": to_bytes(pictures(20, (3, 32, 32))),
    "noise": _noise((50, 3, 64, 64)),
    "extremes": _extremes(),
    "padded": _noise((20, 1, 28, 28)),
    "smaller than a block": _noise((5, 3, 3, 5)),
    "one pixel": _noise((5, 1, 1, 1)),
}


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("threshold", [1, 10, 20, 3000])
def test_public_and_secret_are_the_original_exactly(kind: str, threshold: int) -> None:
    images = IMAGES[kind]
    public, secret = split(images, threshold)
    assert torch.equal(join(public, secret, tuple(images.shape[2:])), images)


@pytest.mark.parametrize("threshold", [1, 10, 20])
def test_the_public_part_has_no_mean_and_nothing_above_the_threshold(threshold: int) -> None:
    public, secret = split(IMAGES["noise"], threshold)
    assert not bool(public[..., 0, 0].any())
    assert float(public.abs().max()) == threshold
    assert torch.equal(public, public.round())
    large = (public + secret).round().abs() > threshold
    large[..., 0, 0] = False
    assert bool(large.any())
    assert bool((public[large] == threshold).all())  # without their sign


def test_small_coefficients_are_public_as_they_are() -> None:
    images = IMAGES["smooth"]
    public, secret = split(images, 20)
    block = images[0, 0, 8:16, 16:24].numpy().astype("float64")
    expected = torch.from_numpy(dctn(block, norm="ortho"))
    assert torch.allclose((public + secret)[0, 0, 1, 2].flatten()[1:], expected.flatten()[1:], atol=1e-5)
    small = expected.round().abs() <= 20
    small[0, 0] = False
    assert torch.equal(public[0, 0, 1, 2][small], expected.round()[small] + 0.0)


def test_flat_blocks_are_released_as_mid_grey() -> None:
    images = torch.full((1, 3, 32, 32), 30 / 255)
    released = P3().release(images, seed=0, numbers=torch.arange(1)).images
    assert torch.equal(released, torch.full_like(images, 128 / 255))


def test_the_mean_of_a_block_cannot_be_told_from_the_release() -> None:
    images = to_bytes(0.5 * pictures(8, (3, 32, 32)))
    brighter = images + 60
    first, second = (split(batch, 10)[0] for batch in (images, brighter))
    assert torch.equal(first, second)


@pytest.mark.parametrize("threshold", [0, -3, 2.5])
def test_a_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="threshold"):
        P3.create({"threshold": threshold})
