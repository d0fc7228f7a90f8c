"""Superpixels: whole but for one, at random or by attribution."""

from __future__ import annotations

import pytest
import torch
from mask_cases import attributions, broken_promises, images, released
from maskbench import Attribution, UsageError
from maskbench.methods.superpixel_masks import SaliencySuperpixel, Superpixel, superpixels

SHAPE = (3, 32, 32)


@pytest.mark.parametrize("kind", [Superpixel, SaliencySuperpixel])
def test_promises(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mask_cases.RATIOS", (0.0, 0.75, 1.0))
    monkeypatch.setattr("mask_cases.SHAPES", [(1, 28, 28), (3, 30, 21)])
    assert list(broken_promises(kind)) == []


@pytest.mark.parametrize("kind", [Superpixel, SaliencySuperpixel])
def test_all_superpixels_are_whole_but_one_and_the_ratio_is_met_to_the_pixel(kind: type) -> None:
    method = kind(ratio=0.75)
    masks = released(method, SHAPE).masks
    segments = superpixels(images(SHAPE), method.patch, method.compactness)
    wrong = []
    for number, (mask, segment) in enumerate(zip(masks[:, 0], segments, strict=True)):
        cut = [name for name in segment.unique().tolist() if 0 < mask[segment == name].mean() < 1]
        if len(cut) > 1:
            wrong.append((number, f"superpixels {cut} are cut"))
        if int(mask.sum()) != 256:
            wrong.append((number, f"{int(mask.sum())} pixels kept"))
    assert wrong == []


def test_the_superpixels_with_the_highest_mean_attribution_stay() -> None:
    method = SaliencySuperpixel(ratio=0.75)
    masks = released(method, SHAPE).masks[:, 0]
    scores = attributions(method, SHAPE)[Attribution("integrated-gradients")][:, 0]
    segments = superpixels(images(SHAPE), method.patch, method.compactness)
    wrong = []
    for number in range(3, len(masks)):  # the first three are flat
        means = {name: float(scores[number][segments[number] == name].mean()) for name in segments[number].unique()}
        kept = {name: float(masks[number][segments[number] == name].mean()) for name in means}
        ordered = [kept[name] for name in sorted(means, key=means.get, reverse=True)]
        if ordered != sorted(ordered, reverse=True):
            wrong.append(number)
    assert wrong == []


def test_equal_superpixels_are_chosen_by_lot_and_not_by_number() -> None:
    grey = torch.full((200, 1, 16, 16), 128 / 255)
    answers = {Attribution("integrated-gradients"): torch.ones(200, 1, 16, 16)}
    release = SaliencySuperpixel(ratio=0.5).release(grey, seed=0, numbers=torch.arange(200), attributions=answers)
    # Standard deviation of a mean of 200 draws at 1/2: 0.035.
    assert float((release.masks.mean(dim=0) - 0.5).abs().max()) < 0.2


def test_superpixels_follow_an_edge() -> None:
    halves = torch.zeros(1, 3, 32, 32)
    halves[:, :, :, 13:] = 1  # no multiple of the side: a grid of squares would cut across it
    segments = superpixels(halves, side=4, compactness=10.0)[0]
    assert set(segments[:, :13].unique().tolist()).isdisjoint(segments[:, 13:].unique().tolist())


@pytest.mark.parametrize("parameters", [{"geometry": "patch"}, {"compactness": 0}, {"patch": 0}])
def test_wrong_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(parameters))):
        Superpixel.create(parameters)
