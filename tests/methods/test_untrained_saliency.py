"""Saliency of an untrained network."""

from __future__ import annotations

import pytest
import torch
from mask_cases import broken_promises, fitted, images, owner, released
from maskbench import UsageError
from maskbench.attributions.algorithm import find
from maskbench.methods.untrained_saliency import UntrainedSaliency
from maskbench.models.recognizers import build
from maskbench.randomness import seeded

SHAPE = (3, 32, 32)


def test_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mask_cases.RATIOS", (0.0, 0.75, 1.0))
    monkeypatch.setattr("mask_cases.SHAPES", [(1, 28, 28), (3, 48, 32)])
    assert list(broken_promises(UntrainedSaliency, attribution="gradient")) == []


def test_it_explains_the_network_of_the_party() -> None:
    method = fitted(UntrainedSaliency(attribution="gradient", geometry="pixel"), SHAPE, seed=7)
    with seeded(7):
        network = build("small", channels=3, classes=5, size=(32, 32)).double().eval().requires_grad_(False)
    scores = find("gradient").explain(network, images(SHAPE).double()).flatten(1)
    kept = released(method, SHAPE).masks.flatten(1) == 1
    inside = torch.where(kept, scores, torch.inf).amin(dim=1)
    outside = torch.where(kept, -torch.inf, scores).amax(dim=1)
    assert bool((inside >= outside).all())


def test_another_party_has_another_network_and_the_global_generator_is_left_alone() -> None:
    method = UntrainedSaliency(attribution="gradient")
    before = torch.random.get_rng_state()
    masks = [released(fitted(method, SHAPE, seed), SHAPE).masks for seed in (0, 1)]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not torch.equal(*masks)


def test_the_code_of_the_algorithm_and_of_the_network_is_part_of_the_key() -> None:
    parameters = UntrainedSaliency(attribution="gradient").release_parameters()
    assert {"maskbench.attributions.gradients", "maskbench.models.small"} <= set(parameters["code"])


def test_images_too_small_for_the_network_are_named() -> None:
    with pytest.raises(UsageError, match="16 px"):
        method = UntrainedSaliency()
        method.fit(owner(method, (1, 12, 12)))
