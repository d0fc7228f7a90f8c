"""What every attribution algorithm keeps: shape, determinism, no dependence on the batch or the global generator."""

from __future__ import annotations

import copy
from functools import cache

import pytest
import torch
from maskbench.attributions.algorithm import find, module_of
from maskbench.errors import UsageError
from maskbench.methods.saliency_masks import Saliency
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.plugins.catalogue import create
from maskbench.plugins.names import parse
from maskbench.randomness import seeded
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
def test_an_image_has_one_attribution_whatever_its_batch(name: str) -> None:
    # With a tenth of the masked copies, where it takes them: the time grows with them.
    algorithm = find({"lime": "lime(samples=32)", "rise": "rise(masks=32)"}.get(name, name))
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
    algorithm, made = find(name), network("small", 3, 24, 16)
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
    scores = find(name).explain(network("resnet18", 3, 16, 16), pictures(2, 3, 16, 16))
    assert scores.shape == (2, 1, 16, 16)
    assert float(scores[1].std()) > 0


def test_a_parameter_is_given_in_brackets_and_changes_the_answer() -> None:
    made, images = network("small", 1, 16, 16), pictures(2, 1, 16, 16)
    usual = find("smoothgrad").explain(made, images)
    assert torch.equal(find("smoothgrad(samples=16)").explain(made, images), usual)
    assert not torch.equal(find("smoothgrad(samples=4)").explain(made, images), usual)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ries", "did you mean 'rise'"),
        ("rise(mask=2)", "did you mean 'masks'"),
        ("rise(masks=3)", "multiple of 2"),
        ("rise(masks=4", "bracket is not closed"),
        ("gradient(steps=3)", "takes no parameters"),
    ],
)
def test_an_attribution_that_is_not_there_is_refused_as_a_methods_parameter_too(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find(text)
    with pytest.raises(UsageError, match=message):
        Saliency.create({"attribution": text})


def test_a_method_may_give_its_attribution_parameters() -> None:
    method = create("method", *parse("saliency:attribution=rise(masks=32),ratio=0.5"))
    assert method.requests()[0].algorithm == "rise(masks=32)"
    assert module_of(method.requests()[0].algorithm) == "maskbench.attributions.rise"
