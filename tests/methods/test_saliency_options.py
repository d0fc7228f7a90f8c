"""Saliency's options, and that their defaults change nothing."""

from __future__ import annotations

import pytest
import torch
from mask_cases import COUNT, attributions, broken_promises, released
from maskbench import Attribution, Randomness, UsageError
from maskbench.methods.saliency_masks import Saliency, smoothed
from maskbench.plugins.mask_method import keep_highest
from scipy.ndimage import gaussian_filter
from torch.nn import functional as F

SHAPE = (3, 32, 32)
SCORES = attributions(Saliency(), SHAPE)[Attribution("grad-cam")]


@pytest.mark.parametrize(
    "parameters",
    [{}, {"keep": "drop-top"}, {"smooth": 1.5}, {"random_share": 0.3}, {"geometry": "pixel", "random_share": 1.0}],
)
def test_promises(parameters: dict[str, object]) -> None:
    assert list(broken_promises(Saliency, **parameters)) == []


def test_the_defaults_are_the_plain_method() -> None:
    expected = keep_highest(F.avg_pool2d(SCORES, 4), (32, 32), 4, 0.75, Randomness(5, torch.arange(100, 100 + COUNT)))
    assert torch.equal(released(Saliency(), SHAPE).masks, expected)


def test_drop_top_hides_what_top_keeps() -> None:
    top = released(Saliency(ratio=0.75), SHAPE).masks
    dropped = released(Saliency(ratio=0.25, keep="drop-top"), SHAPE).masks
    assert torch.equal(dropped[3:], 1 - top[3:])  # the first three are flat, where lots decide


def test_smoothing_is_a_gaussian() -> None:
    for sigma in (0.7, 2.0):
        ours = smoothed(SCORES[:8], sigma)
        for score, one in zip(SCORES[:8, 0].double().numpy(), ours[:, 0], strict=True):
            expected = gaussian_filter(score, sigma, mode="mirror", radius=round(3 * sigma))
            assert torch.allclose(one, torch.from_numpy(expected).float(), atol=1e-5)


def test_smoothing_wider_than_the_image_is_cut_off() -> None:
    assert smoothed(SCORES[:2], 100.0).shape == SCORES[:2].shape


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_a_share_of_the_kept_part_is_chosen_by_lot(share: float) -> None:
    plain = released(Saliency(ratio=0.5), SHAPE).masks[3:]
    by_score = released(Saliency(ratio=1 - 0.5 * (1 - share)), SHAPE).masks[3:]
    mixed = released(Saliency(ratio=0.5, random_share=share), SHAPE).masks[3:]
    assert bool((mixed >= by_score).all())
    # What is left is chosen among the other units: of them, plain saliency keeps the share 0.5·share/(0.5 + 0.5·share).
    rest = (by_score == 0) & (mixed == 1)
    overlap = float((plain[rest] == 1).float().mean())
    assert abs(overlap - share / (1 + share)) < 0.05


@pytest.mark.parametrize(
    "parameters", [{"keep": "bottom"}, {"smooth": -1}, {"random_share": 1.5}, {"attribution": "x"}]
)
def test_wrong_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Saliency.create(parameters)
