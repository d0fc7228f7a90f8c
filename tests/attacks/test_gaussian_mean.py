"""The conditional mean against its formula, image by image, and in a world where it is the best that can be done."""

from __future__ import annotations

import pytest
import torch
from maskbench import Aux, Known, Release
from maskbench.attacks._stationary import correlations
from maskbench.attacks.gaussian_mean import GaussianMean, _conditional_mean, _windows
from maskbench.training.settings import RESTORATION
from restoration_cases import CPU
from torch import Tensor


def pictures(count: int, size: tuple[int, int], channels: int = 1, seed: int = 0) -> Tensor:
    """Smooth Gaussian fields about a ramp: float32 (N, C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, channels, *size, generator=generator)
    kernel = torch.ones(channels, 1, 5, 5) / 25
    smooth = torch.nn.functional.conv2d(noise, kernel, padding=2, groups=channels)
    return (0.5 + 0.4 * smooth + torch.linspace(-0.1, 0.1, size[1])).clamp(0, 1).mul(255).round() / 255


def masks(count: int, size: tuple[int, int], hidden: float = 0.6, seed: int = 1) -> Tensor:
    return (torch.rand(count, 1, *size, generator=torch.Generator().manual_seed(seed)) > hidden).float()


def aux(raw: Tensor, release: Release, split: int, mirror: bool = False) -> Aux:
    first, rest = slice(None, split), slice(split, None)
    return Aux(
        train=Known(raw[first], release.select(first)),
        validation=Known(raw[rest], release.select(rest)),
        training=RESTORATION,
        mirror=mirror,
        seed=0,
        device=CPU,
    )


def masked(raw: Tensor, hidden: float = 0.6) -> Release:
    kept = masks(len(raw), (raw.shape[2], raw.shape[3]), hidden)
    return Release(raw * kept, kept)


def test_each_image_has_the_mean_of_the_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(30, 12, generator=generator)
    covariance, mean = values.T @ values / 30 + 0.1 * torch.eye(12), values.mean(0)
    shown, kept = torch.randn(9, 12, generator=generator), torch.rand(9, 12, generator=generator) < 0.5
    kept[0], kept[1] = False, True
    kept[2] = kept[3]
    found = _conditional_mean(shown, kept, mean, covariance)
    for row, seen, guess in zip(shown, kept, found, strict=True):
        weights = torch.linalg.pinv(covariance[seen][:, seen]) @ (row - mean)[seen]
        assert torch.allclose(guess, mean + covariance[:, seen] @ weights, atol=1e-4)
        assert torch.allclose(guess[seen], row[seen], atol=1e-4)


def test_it_comes_near_the_best_that_there_is_in_a_gaussian_world() -> None:
    """With the true covariance in place of an estimated one, the error is the least possible."""
    raw = pictures(1400, (16, 16))
    release = masked(raw)
    attack = GaussianMean()
    attack = attack.with_state(attack.fit(aux(raw[:1300], release.select(slice(1300)), 1200)))
    many = pictures(20_000, (16, 16), seed=9).flatten(1)
    covariance = torch.cov(many.T) + 1e-6 * torch.eye(256)
    asked, truth = release.select(slice(1300, None)), raw[1300:]
    best = _conditional_mean(asked.images.flatten(1), asked.kept.flatten(1) > 0, many.mean(0), covariance)
    errors = [
        float(((guess.view_as(truth) - truth) * (1 - asked.kept)).square().sum() / (1 - asked.kept).sum())
        for guess in (best, attack.restore(asked, CPU), truth.mean(0).expand_as(truth))
    ]
    assert errors[1] < 1.35 * errors[0]
    assert errors[1] < 0.5 * errors[2]


def test_correlations_are_those_of_all_pairs_at_each_offset() -> None:
    deviations = torch.randn(20, 2, 5, 4, generator=torch.Generator().manual_seed(3)).cumsum(3)
    found = correlations(deviations).view(2, 5, 4, 2, 5, 4)
    padded = torch.nn.functional.pad(deviations, (4, 4, 5, 5))

    def covariance(one: int, two: int, rows: int, columns: int) -> Tensor:
        moved = padded[:, two, 5 + rows : 10 + rows, 4 + columns : 8 + columns]
        return (deviations[:, one] * moved).mean()

    variances = [covariance(channel, channel, 0, 0) for channel in (0, 1)]
    for one, two, rows, columns in ((0, 0, 1, 0), (0, 1, 2, -1), (1, 0, -3, 2), (1, 1, 0, 3)):
        expected = covariance(one, two, rows, columns) / (variances[one] * variances[two]).sqrt()
        first = (max(0, -rows), max(0, -columns))
        assert torch.allclose(found[one, *first, two, first[0] + rows, first[1] + columns], expected, atol=1e-4)
    assert torch.allclose(found.view(40, 40), found.view(40, 40).T, atol=1e-5)
    assert float(torch.linalg.eigvalsh(found.view(40, 40).double()).min()) > -1e-4


def test_few_pictures_are_helped_by_what_is_alike_everywhere() -> None:
    raw = pictures(160, (16, 16))
    release = masked(raw)
    asked, truth = release.select(slice(60, None)), raw[60:]
    errors = []
    for weight in (0.0, None):
        attack = GaussianMean(stationary=weight)
        attack = attack.with_state(attack.fit(aux(raw[:60], release.select(slice(60)), 30)))
        errors.append(float(((attack.restore(asked, CPU) - truth) * (1 - asked.kept)).square().sum()))
    assert attack.state.stationary > 0
    assert errors[1] < 0.9 * errors[0]


def test_a_linear_release_is_undone() -> None:
    """Every pixel of a blurred picture is a weighted mean: regression finds the way back, as far as 8 bits hold it."""
    raw = pictures(1500, (16, 16), channels=3)
    kernel = torch.tensor([0.2, 0.6, 0.2])
    blurred = torch.nn.functional.conv2d(
        raw.flatten(0, 1)[:, None], (kernel[:, None] * kernel)[None, None], padding=1
    ).view_as(raw)
    release = Release(blurred.mul(255).round() / 255)
    attack = GaussianMean()
    attack = attack.with_state(attack.fit(aux(raw[:1400], release.select(slice(1400)), 1300)))
    before, after = (
        float((images - raw[1400:]).square().mean())
        for images in (release.images[1400:], attack.restore(release.select(slice(1400, None)), CPU))
    )
    assert after < 0.1 * before


@pytest.mark.parametrize("size", [(48, 32), (40, 56), (33, 16)], ids=str)
def test_blocks_cover_an_image_once_and_lie_in_their_windows(size: tuple[int, int]) -> None:
    covered = torch.zeros(size)
    for block, window in _windows(*size):
        covered[block] += 1
        assert all(
            outer.start <= inner.start < inner.stop <= outer.stop for inner, outer in zip(block, window, strict=True)
        )
    assert bool((covered == 1).all())


def test_what_a_large_image_shows_nearby_is_used() -> None:
    raw = pictures(400, (40, 48))
    release = masked(raw)
    attack = GaussianMean()
    attack = attack.with_state(attack.fit(aux(raw[:350], release.select(slice(350)), 300)))
    asked, truth = release.select(slice(350, None)), raw[350:]
    hidden = 1 - asked.kept
    errors = [
        float(((guess - truth) * hidden).square().sum())
        for guess in (attack.restore(asked, CPU), raw[:300].mean(0).expand_as(truth))
    ]
    assert errors[0] < 0.6 * errors[1]


def test_the_more_it_is_mirrored_the_more_it_knows() -> None:
    raw = pictures(160, (16, 16)) - torch.linspace(-0.1, 0.1, 16)  # without the ramp, a mirrored picture is as likely
    release = masked(raw)
    asked, truth = release.select(slice(100, None)), raw[100:]
    errors = []
    for mirror in (False, True):
        attack = GaussianMean(shrinkage=0.05)
        attack = attack.with_state(attack.fit(aux(raw[:60], release.select(slice(60)), 40, mirror)))
        errors.append(float(((attack.restore(asked, CPU) - truth) * (1 - asked.kept)).square().sum()))
    assert errors[1] < errors[0]


@pytest.mark.cuda
def test_cuda_agrees_with_the_cpu() -> None:
    raw = pictures(200, (24, 24), channels=3)
    release = masked(raw)
    attack = GaussianMean(shrinkage=0.05)
    attack = attack.with_state(attack.fit(aux(raw, release, 150)))
    here, there = (attack.restore(release.select(slice(150, None)), torch.device(name)) for name in ("cpu", "cuda"))
    assert torch.allclose(here, there, atol=1e-3)
