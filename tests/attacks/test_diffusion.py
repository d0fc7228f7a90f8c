from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from maskbench import Aux, Randomness, Release, UsageError
from maskbench.attacks.diffusion import Diffusion, repaint, schedule
from maskbench.conformance.samples import masks
from maskbench.metrics.image import gain
from maskbench.plugins.knowledge import Known
from maskbench.randomness import seeded
from maskbench.release import content_numbers, to_bytes, to_float
from maskbench.training.settings import Training
from torch import Tensor
from torch.nn import functional

CPU = torch.device("cpu")
SHAPE = (3, 32, 32)
SMALL = Diffusion(width=16, passes=1, steps=8, jump=2, resamples=3, samples=2)


def _released(first: int, count: int, shape: tuple[int, int, int] = SHAPE) -> tuple[Tensor, Release]:
    """Colours that run from corner to corner, and masks that hide 70 % of the pixels."""
    numbers = torch.arange(first, first + count)
    corners = Randomness(0, numbers).uniform(shape[0], 2, 2)
    raw = to_float(to_bytes(functional.interpolate(corners, size=shape[1:], mode="bilinear", align_corners=True)))
    kept = masks(numbers, shape, 0.7)
    return raw, Release(raw * kept, kept)


def _fitted(count: int, epochs: int, shape: tuple[int, int, int] = SHAPE, device: torch.device = CPU) -> Diffusion:
    known = [Known(*_released(first, size, shape)) for first, size in ((0, count), (count, 2))]
    aux = Aux(
        train=known[0],
        validation=known[1],
        training=Training(epochs=epochs, batch_size=16, learning_rate=6e-3, weight_decay=1e-4),
        mirror=True,
        seed=5,
        device=device,
    )
    with seeded(0):
        return SMALL.with_state(SMALL.fit(SMALL.with_raw(aux)))


@pytest.fixture(scope="module")
def fitted() -> Diffusion:
    return _fitted(64, 30)


def test_it_clearly_beats_the_mean_fill(fitted: Diffusion) -> None:
    raw, release = _released(1000, 16)
    assert gain(fitted.restored(release, CPU), release.images, raw, release.masks).mean() > 3  # dB


def test_averaged_samples_come_nearer(fitted: Diffusion) -> None:
    raw, release = _released(1000, 32)
    several = SMALL.model_copy(update={"samples": 6}).with_state(fitted.state)
    gains = [gain(it.restored(release, CPU), release.images, raw, release.masks).mean() for it in (fitted, several)]
    assert gains[1] > gains[0]


def test_neither_the_batch_nor_the_place_in_it_changes_an_answer(fitted: Diffusion) -> None:
    _, release = _released(1000, 5)
    together = fitted.restore(release, CPU)
    torch.manual_seed(1)
    assert torch.equal(fitted.restore(release, CPU), together)
    for order in ([4], [2, 0], [3, 1]):
        part = fitted.restore(release.select(torch.tensor(order)), CPU)
        torch.testing.assert_close(part, together[order], rtol=0, atol=1 / 255)


def test_images_get_noise_of_their_own(fitted: Diffusion) -> None:
    nothing = torch.zeros(2, 1, 32, 32)
    images = torch.zeros(2, *SHAPE)
    images[1, 0, 0, 0] = 1 / 255
    first, second = fitted.restore(Release(images, nothing), CPU)
    assert (first - second).abs().mean() > 0.01


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 48, 32), (1, 28, 28)])
def test_kept_pixels_stay_at_any_shape(shape: tuple[int, int, int]) -> None:
    fitted = _fitted(16, 1, shape)
    _, release = _released(1000, 2, shape)
    restored = fitted.restored(release, CPU)
    assert torch.equal(restored * release.masks, release.images)


def test_sampling_goes_down_back_and_down_again() -> None:
    moves = schedule(4, 2, 2)
    assert [here * 4 for here, _ in moves] == [4, 3, 2, 1, 0, 2, 1]
    assert moves[-1][1] == 0
    assert all(one[1] == two[0] for one, two in pairwise(moves))


@pytest.mark.parametrize(("steps", "jump", "resamples"), [(20, 5, 1), (1, 1, 3), (7, 10, 4), (10, 1, 2)])
def test_every_schedule_ends_without_noise(steps: int, jump: int, resamples: int) -> None:
    moves = schedule(steps, jump, resamples)
    assert moves[0][0] == 1 and moves[-1][1] == 0
    assert sum(there < here for here, there in moves) >= steps


def test_a_perfect_denoiser_gives_back_the_truth() -> None:
    """Whatever it is shown, an oracle answers with the truth: the sampler must land there, jumps and all."""
    raw, release = _released(0, 4)

    class Oracle(torch.nn.Module):
        def forward(self, noisy: Tensor, levels: Tensor) -> Tensor:
            return raw * 2 - 1

    restored = repaint(Oracle(), release, schedule(SMALL.steps, SMALL.jump, SMALL.resamples), 0, CPU)
    torch.testing.assert_close(restored, raw, rtol=0, atol=1e-4)


def test_numbers_tell_contents_apart_and_nothing_else() -> None:
    _, release = _released(0, 6)
    numbers = content_numbers(release)
    assert len(numbers.unique()) == 6
    assert torch.equal(content_numbers(release.select(torch.tensor([3, 1]))), numbers[[3, 1]])
    assert not torch.equal(content_numbers(Release(release.images, 1 - release.masks)), numbers)
    assert len(content_numbers(Release(release.images)).unique()) == 6


@pytest.mark.parametrize("parameters", [{"width": 12}, {"steps": 0}, {"jump": 0}, {"sample": 2}])
def test_bad_parameters_are_refused(parameters: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"width|steps|jump|sample"):
        Diffusion.create(parameters)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_beats_the_mean_fill_too() -> None:
    device = torch.device("cuda")
    raw, release = _released(1000, 16)
    restored = _fitted(64, 30, device=device).restored(release, device)
    assert gain(restored, release.images, raw, release.masks).mean() > 3
