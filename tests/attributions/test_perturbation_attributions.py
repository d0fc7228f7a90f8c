"""Occlusion, RISE and LIME, against plain loops over images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from maskbench.attributions.lime import Lime, lime_samples, proximity, ridge_solution
from maskbench.attributions.occlusion import Occlusion
from maskbench.attributions.passes import PassSize
from maskbench.attributions.rise import Rise, rise_masks
from maskbench.models.recognizer import Recognizer
from sklearn.linear_model import Ridge
from torch import Tensor, nn
from torch.nn import functional as F

NEUTRAL = 0.25


class _Product(nn.Module):
    """Two logits that depend on the image in a way no linear map does."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0)) / 8)

    def forward(self, images: Tensor) -> Tensor:
        return (images[:, None] * self.weights).sum(dim=(2, 3, 4)).sin() * 3


def _network(size: tuple[int, int]) -> Recognizer:
    made = Recognizer(_Product(size), feature_layers=[], mean=[NEUTRAL] * 3, std=[0.5] * 3)
    return made.eval().requires_grad_(False)


def _images(size: tuple[int, int], count: int = 9) -> Tensor:
    return torch.rand((count, 3, *size), generator=torch.Generator().manual_seed(1))


SIZES = [(28, 28), (32, 32), (30, 21)]


def test_occlusion_one_square_at_a_time() -> None:
    wrong = []
    for size in SIZES:
        network, images = _network(size), _images(size)
        scores = Occlusion().explain(network, images)
        side = min(size) // 4
        step = side // 2
        starts = [[min(at, full) for at in range(0, full - side + step, step)] for full in size]
        for number, image in enumerate(images):
            logits = network(image[None])[0]
            kind = int(logits.argmax())
            total, covered = torch.zeros(size), torch.zeros(size)
            for top in starts[0]:
                for left in starts[1]:
                    hidden = image.clone()
                    hidden[:, top : top + side, left : left + side] = NEUTRAL
                    total[top : top + side, left : left + side] += logits[kind] - network(hidden[None])[0, kind]
                    covered[top : top + side, left : left + side] += 1
            expected = total / covered.clamp(min=1)
            if not torch.allclose(scores[number, 0], expected, atol=1e-4):
                wrong.append((size, number, float((scores[number, 0] - expected).abs().max())))
            if int((covered == 0).sum()):
                wrong.append((size, number, "some pixels are never covered"))
    assert wrong == []


@pytest.mark.parametrize("copies", [1, 5, 100])
def test_rise_one_mask_at_a_time(copies: int) -> None:
    wrong = []
    for size in SIZES:
        network, images = _network(size), _images(size, count=3 if copies == 1 else 9)
        scores = Rise().explain(network, images, PassSize(copies))
        masks = rise_masks(*size, 256)
        for number, image in enumerate(images):
            kind = int(network(image[None]).argmax())
            expected = torch.zeros(size, dtype=torch.float64)
            for mask in masks:
                shown = image * mask + NEUTRAL * (1 - mask)
                expected += network(shown[None]).softmax(dim=1)[0, kind] * mask[0].double()
            expected /= 0.5 * len(masks)
            if not torch.allclose(scores[number, 0].double(), expected, atol=1e-5):
                wrong.append((size, number, float((scores[number, 0] - expected).abs().max())))
    assert wrong == []


def test_rise_masks_are_smooth_balanced_and_always_the_same() -> None:
    for size in [*SIZES, (224, 160)]:
        masks = rise_masks(*size, 256)
        assert masks.shape == (256, 1, *size)
        assert torch.equal(masks, rise_masks(*size, 256))
        assert float(masks.min()) >= 0
        assert float(masks.max()) <= 1
        assert float((masks.mean(dim=0) - 0.5).abs().max()) < 1e-6
        # Bilinear: from one pixel to the next, no more than one cell's share.
        assert float(masks.diff(dim=2).abs().max()) <= 1 / -(-size[0] // 7) + 1e-5
        assert float(masks.diff(dim=3).abs().max()) <= 1 / -(-size[1] // 7) + 1e-5


def test_lime_is_scikit_learns_weighted_ridge() -> None:
    samples = lime_samples(256)
    weights = proximity(samples)
    assert weights[0] == 1  # the whole image is nearest to itself
    wrong = []
    for size in SIZES:
        network, images = _network(size), _images(size)
        scores = Lime().explain(network, images)
        masks = F.interpolate(samples.view(-1, 1, 7, 7), size=size, mode="nearest")
        for number, image in enumerate(images):
            kind = int(network(image[None]).argmax())
            shown = image * masks + NEUTRAL * (1 - masks)
            answers = network(shown).double().softmax(dim=1)[:, kind].numpy()
            model = Ridge(alpha=1.0).fit(samples.double().numpy(), answers, sample_weight=weights.double().numpy())
            coefficients = torch.from_numpy(model.coef_).view(1, 1, 7, 7)
            expected = F.interpolate(coefficients, size=size, mode="nearest")[0, 0]
            if not torch.allclose(scores[number, 0].double(), expected, atol=1e-6):
                wrong.append((size, number, float((scores[number, 0] - expected).abs().max())))
    assert wrong == []


def test_lime_finds_a_linear_model() -> None:
    samples = lime_samples(256)
    truth = torch.from_numpy(np.random.default_rng(0).normal(size=49)) * 1e6
    found = ridge_solution(samples, torch.ones(len(samples))) @ (samples.double() @ truth + 5)
    assert float((found - truth).abs().max() / truth.abs().max()) < 0.1  # the ridge pulls a little towards zero


@pytest.mark.parametrize("algorithm", [Lime(), Occlusion()])
def test_an_image_of_the_neutral_colour_matters_nowhere(algorithm: Lime | Occlusion) -> None:
    scores = algorithm.explain(_network((28, 28)), torch.full((2, 3, 28, 28), NEUTRAL))
    assert float(scores.abs().max()) == 0


def test_rise_gives_a_flat_answer_where_nothing_changes() -> None:
    scores = Rise().explain(_network((28, 28)), torch.full((2, 3, 28, 28), NEUTRAL))
    assert float(scores.std()) == 0
