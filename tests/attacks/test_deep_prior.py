from __future__ import annotations

import pytest
import torch
from maskbench import Release, UsageError
from maskbench.attacks.deep_prior import DeepImagePrior, smooth_noise
from maskbench.conformance.samples import masks, pictures
from maskbench.metrics.image import gain
from torch import Tensor

CPU = torch.device("cpu")
SHAPE = (3, 32, 32)
FEW = DeepImagePrior(iterations=30, width=16)


def _released(count: int, shape: tuple[int, int, int] = SHAPE, ratio: float = 0.7) -> tuple[Tensor, Release]:
    numbers = torch.arange(count)
    raw, kept = pictures(numbers, shape), masks(numbers, shape, ratio)
    return raw, Release(raw * kept, kept)


def test_it_clearly_beats_the_mean_fill() -> None:
    raw, release = _released(6)
    assert gain(FEW.restored(release, CPU), release.images, raw, release.masks).mean() > 3  # dB


def test_more_iterations_fit_better() -> None:
    raw, release = _released(4)
    fitted = [DeepImagePrior(iterations=count, width=16).restore(release, CPU) for count in (2, 30)]
    errors = [float(((it - raw) * release.masks).square().mean()) for it in fitted]
    assert errors[1] < errors[0] / 2


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 48, 32), (3, 28, 28), (1, 17, 23)])
def test_kept_pixels_stay_at_any_shape(shape: tuple[int, int, int]) -> None:
    _, release = _released(2, shape)
    restored = DeepImagePrior(iterations=2, width=8).restored(release, CPU)
    assert torch.equal(restored * release.masks, release.images)


def test_neither_the_batch_nor_the_generators_change_an_answer() -> None:
    _, release = _released(5)
    together = FEW.restore(release, CPU)
    torch.manual_seed(1)
    assert torch.equal(FEW.restore(release, CPU), together)
    alone = torch.cat([FEW.restore(release.select(slice(at, at + 1)), CPU) for at in range(5)])
    torch.testing.assert_close(alone, together, rtol=0, atol=1 / 255)


def test_a_neighbour_that_changes_changes_nothing() -> None:
    raw, release = _released(3)
    other = Release(torch.cat([release.images[:2], 1 - raw[2:]]), release.masks)
    first, second = (FEW.restore(it, CPU)[:2] for it in (release, other))
    torch.testing.assert_close(first, second, rtol=0, atol=1e-6)


def test_it_works_within_inference_mode() -> None:
    _, release = _released(1)
    with torch.inference_mode():
        inside = FEW.restore(Release(release.images.clone(), release.masks.clone()), CPU)
    assert torch.equal(inside, FEW.restore(release, CPU))


def test_where_nothing_is_kept_it_is_grey() -> None:
    nothing = torch.zeros(2, 1, 32, 32)
    restored = FEW.restore(Release(nothing.expand(-1, 3, -1, -1), nothing), CPU)
    torch.testing.assert_close(restored, torch.full_like(restored, 0.5))


def test_the_input_is_coarse_noise() -> None:
    noise = smooth_noise(8, (16, 16), torch.Generator().manual_seed(0))
    torch.testing.assert_close(noise.std((1, 2)), torch.ones(8))
    assert (noise[..., 1:] - noise[..., :-1]).square().mean() < 1  # white noise: 2


@pytest.mark.parametrize("parameters", [{"iterations": 0}, {"width": 0}, {"learning_rate": 0}, {"iteration": 3}])
def test_bad_parameters_are_refused(parameters: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"iteration|width|learning_rate"):
        DeepImagePrior.create(parameters)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_beats_the_mean_fill_too() -> None:
    raw, release = _released(6)
    assert gain(FEW.restored(release, torch.device("cuda")), release.images, raw, release.masks).mean() > 3
