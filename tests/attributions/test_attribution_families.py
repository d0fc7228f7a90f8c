"""What every attribution algorithm keeps: shape, determinism, no dependence on the batch or the global generator."""

from __future__ import annotations

import copy
from functools import cache

import pytest
import torch
from maskbench.attributions import lime, rise
from maskbench.attributions.algorithm import algorithms
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.training.seeding import seeded
from torch import Tensor

OURS = ["gradient-shap", "guided-grad-cam", "lime", "occlusion", "rise", "smoothgrad"]


@cache
def network(recognizer: str, channels: int, height: int, width: int) -> Recognizer:
    """A network in use: batch statistics of images, no gradients for its weights."""
    with seeded(1):
        made = build(recognizer, channels=channels, classes=4, size=(height, width))
        made.train()
        made(torch.rand(32, channels, height, width))
    return made.eval().requires_grad_(False)


def pictures(count: int, channels: int, height: int, width: int) -> Tensor:
    """Random images; the first is flat."""
    images = torch.rand((count, channels, height, width), generator=torch.Generator().manual_seed(0))
    images[0] = 0.5
    return (images * 255).round() / 255


@pytest.mark.parametrize("name", OURS)
def test_an_image_has_one_attribution_whatever_its_batch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lime, "_SAMPLES", 32)  # a tenth of the time
    monkeypatch.setattr(rise, "_MASKS", 32)
    algorithm = algorithms()[name]
    images = pictures(64, 1, 16, 16).double()
    # Float64: in float32 a rounding error now and then switches a ReLU, and the gradient jumps.
    made = copy.deepcopy(network("small", 1, 16, 16)).double()
    whole = algorithm.explain(made, images)
    wrong = []
    for size in (1, 7):
        parts = torch.cat([algorithm.explain(made, batch) for batch in images[: 2 * size + 1].split(size)])
        worst = float((parts - whole[: len(parts)]).abs().max() / whole.abs().max())
        if worst > 1e-5:
            wrong.append((size, worst))
    assert wrong == []


@pytest.mark.parametrize("name", OURS)
def test_an_attribution_is_repeatable_and_leaves_the_generator_alone(name: str) -> None:
    algorithm, made = algorithms()[name], network("small", 3, 24, 16)
    images = pictures(5, 3, 24, 16)
    before = torch.random.get_rng_state(), images.clone()
    first = algorithm.explain(made, images)
    torch.rand(3)
    second = algorithm.explain(made, images)
    assert first.shape == (5, 1, 24, 16)
    assert torch.equal(first, second)
    assert torch.equal(images, before[1])
    torch.random.set_rng_state(before[0])
    algorithm.explain(made, images)
    assert torch.equal(torch.random.get_rng_state(), before[0])


@pytest.mark.parametrize("name", OURS)
def test_a_residual_network_can_be_explained(name: str) -> None:
    scores = algorithms()[name].explain(network("resnet18", 3, 16, 16), pictures(2, 3, 16, 16))
    assert scores.shape == (2, 1, 16, 16)
    assert float(scores[1].std()) > 0
