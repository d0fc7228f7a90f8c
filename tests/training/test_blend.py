from __future__ import annotations

import torch
from maskbench.metrics.image import ssim_hole
from maskbench.training.blend import blend, blending_weights
from torch import Tensor


def _pictures() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    raw = torch.nn.functional.interpolate(torch.rand(24, 1, 6, 6, generator=generator), size=24, mode="bilinear")
    return raw, (torch.rand(24, 1, 24, 24, generator=generator) < 0.3).float()


def _noisy(raw: Tensor, strength: float, seed: int) -> Tensor:
    return (raw + strength * torch.randn(raw.shape, generator=torch.Generator().manual_seed(seed))).clamp(0, 1)


def test_what_is_wrong_in_different_ways_is_better_together() -> None:
    raw, masks = _pictures()
    restored = torch.stack([_noisy(raw, 0.1, seed) for seed in range(3)])
    weights = blending_weights(restored, raw, masks)
    assert torch.allclose(weights, torch.full((3,), 1 / 3), atol=0.05)
    alone = ssim_hole(restored[0], raw, masks).mean()
    assert ssim_hole(blend(restored, weights), raw, masks).mean() > alone + 0.1


def test_what_is_worse_gets_next_to_nothing() -> None:
    raw, masks = _pictures()
    weights = blending_weights(torch.stack([raw, 1 - raw]), raw, masks)
    assert weights[0] > 0.95
    assert float(weights.sum()) == 1


def test_only_what_is_hidden_counts() -> None:
    """One restoration is right where pixels are hidden, the other where they are kept."""
    raw, masks = _pictures()
    masks = torch.zeros_like(masks)
    masks[..., :12] = 1
    right_hidden = torch.where(masks == 1, 1 - raw, raw)
    assert blending_weights(torch.stack([right_hidden, 1 - right_hidden]), raw, masks)[0] > 0.9


def test_a_single_one_is_itself() -> None:
    raw, _ = _pictures()
    assert blending_weights(raw[None], raw, None).tolist() == [1]


def test_white_stays_white_whatever_the_weights_add_up_to() -> None:
    white = torch.ones(3, 2, 1, 8, 8)
    for above in (1e-6, -1e-6):
        blended = blend(white, torch.tensor([0.3, 0.3, 0.4]) * (1 + above))
        assert float(blended.min()) > 0.99 and float(blended.max()) <= 1
