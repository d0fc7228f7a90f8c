"""What all attacks that fill holes must keep, and that the libraries' results come through unchanged."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from maskbench import Release, RestorationAttack, UsageError
from maskbench.attacks.baselines import MeanFill, Unrestored
from maskbench.attacks.inpainting import Biharmonic, NavierStokes, Telea
from maskbench.attacks.linear_imputation import LinearImputation
from maskbench.attacks.local_mean import LocalMean
from maskbench.attacks.total_variation import TotalVariation
from maskbench.release import to_bytes
from restoration_cases import ALL_KEPT, COUNT, CPU, NOTHING_KEPT, SHAPES, pictures, released
from skimage.restoration import inpaint_biharmonic

ATTACKS = [
    MeanFill(),
    LocalMean(),
    Telea(),
    NavierStokes(),
    Biharmonic(),
    TotalVariation(iterations=50),
    LinearImputation(),
    LinearImputation(noise=0.01).with_state(3),
]
each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.label())
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


@each_attack
@each_shape
def test_the_extremes_and_the_kept_pixels(attack: RestorationAttack, shape: tuple[int, int, int]) -> None:
    release = released(shape)
    restored = attack.restored(release, CPU)
    middle = restored[NOTHING_KEPT].mean()
    assert abs(float(middle) - 0.5) < 0.005
    assert torch.equal(restored[ALL_KEPT], pictures(shape)[ALL_KEPT])
    assert torch.equal(restored * release.masks, release.images * release.masks)


@each_attack
@each_shape
def test_neither_the_batch_nor_another_run_shows(attack: RestorationAttack, shape: tuple[int, int, int]) -> None:
    release = released(shape)
    whole = attack.restored(release, CPU)
    assert torch.equal(attack.restored(release, CPU), whole)
    for size in (1, 4):
        parts = [attack.restored(release.select(index), CPU) for index in torch.arange(COUNT).split(size)]
        assert torch.equal(torch.cat(parts), whole), size


# Not of OpenCV's: next to a hole it takes differences that reach into it, so the fill shows by some levels of 255.
@pytest.mark.parametrize(
    "attack",
    [MeanFill(), LocalMean(), Biharmonic(), TotalVariation(iterations=50), LinearImputation()],
    ids=lambda attack: attack.label(),
)
def test_what_the_holes_show_does_not_matter(attack: RestorationAttack) -> None:
    black, bright = (attack.restored(released((3, 32, 32), fill), CPU) for fill in (0.0, 0.9))
    assert torch.equal(black, bright)


@each_attack
def test_every_attack_beats_the_holes(attack: RestorationAttack) -> None:
    release, raw = released((3, 32, 32)), pictures((3, 32, 32))
    error = (attack.restored(release, CPU) - raw).square().flatten(1).mean(1)
    assert bool((error < (release.images - raw).square().flatten(1).mean(1))[[2, 3, 4, 5]].all())


@pytest.mark.parametrize("radius", [3.0, 5.0])
@pytest.mark.parametrize(("kind", "flag"), [(Telea, cv2.INPAINT_TELEA), (NavierStokes, cv2.INPAINT_NS)])
@each_shape
def test_opencv_image_by_image(kind: type, flag: int, radius: float, shape: tuple[int, int, int]) -> None:
    release = released(shape)
    restored = to_bytes(kind(radius=radius).restored(release, CPU)).permute(0, 2, 3, 1).numpy()
    for place in range(NOTHING_KEPT + 1, COUNT):
        picture = to_bytes(release.images)[place].permute(1, 2, 0).contiguous().numpy()
        hole = (release.masks[place, 0] == 0).numpy().astype(np.uint8)
        expected = cv2.inpaint(picture, hole, radius, flag).reshape(picture.shape)
        assert np.array_equal(restored[place], expected), place


@each_shape
def test_scikit_image_image_by_image(shape: tuple[int, int, int]) -> None:
    release = released(shape)
    restored = to_bytes(Biharmonic().restored(release, CPU)).permute(0, 2, 3, 1).numpy()
    for place in range(ALL_KEPT + 1, COUNT):
        picture = release.images[place].permute(1, 2, 0).contiguous().double().numpy()
        expected = inpaint_biharmonic(picture, (release.masks[place, 0] == 0).numpy(), channel_axis=-1)
        assert np.array_equal(restored[place], np.round(expected.clip(0, 1) * 255).astype(np.uint8)), place


def test_released_shows_the_release() -> None:
    release = released((3, 32, 32))
    assert torch.equal(Unrestored().restored(release, CPU), release.images)
    assert torch.equal(Unrestored().restored(Release(release.images), CPU), release.images)


def test_mean_fill_is_the_mean_of_the_kept_pixels() -> None:
    release = released((3, 32, 32))
    restored = MeanFill().restored(release, CPU)
    kept, hidden = release.masks[2, 0] == 1, release.masks[2, 0] == 0
    for channel in range(3):
        values = restored[2, channel][hidden]
        assert torch.equal(values, values[:1].expand_as(values))
        assert abs(float(values[0] - release.images[2, channel][kept].mean())) <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (Telea, {"radius": 0}),
        (LocalMean, {"support": 0}),
        (LocalMean, {"support": 0.6}),
        (TotalVariation, {"iterations": 0}),
        (LinearImputation, {"noise": -0.1}),
        (LinearImputation, {"nois": 0.1}),
    ],
)
def test_a_bad_parameter_is_named(kind: type[RestorationAttack], parameters: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=f"'{kind.name}'.*{next(iter(parameters))}"):
        kind.create(parameters)
