"""Restorations taken together: a weighted mean of them, with the weights that restore known pictures best."""

from __future__ import annotations

import torch
from torch import Tensor

from maskbench.training.similarity import similarity_map

_STEPS, _RATE = 60, 0.2
_PIXELS = 2**18  # that the weights are fitted on, over all pictures: they are few, and so may these be


def blend(restored: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean of K restorations: (K, N, C, H, W) in [0, 1] and (K,) of sum 1 → (N, C, H, W) in [0, 1]."""
    # Weights that were rounded add up to a little more or less than 1.
    return torch.einsum("k,knchw->nchw", weights, restored).clamp(0, 1)


def blending_weights(restored: Tensor, raw: Tensor, masks: Tensor | None) -> Tensor:
    """Weights for the highest structural similarity of the weighted mean: float32 (K,), not negative, of sum 1.

    Found by gradient steps from equal weights, so that nothing is random.

    Args:
        restored: float32 (K, N, C, H, W) in [0, 1]: what K attacks make of the same N pictures.
        raw: float32 (N, C, H, W), what the pictures are.
        masks: float32 (N, 1, H, W), 1 = kept, where there are some: the similarity counts over hidden pixels.
    """
    if len(restored) == 1:
        return torch.ones(1, device=restored.device)
    used = max(1, min(len(raw), _PIXELS // raw[0, 0].numel()))
    restored, raw = restored[:, :used], raw[:used]
    hidden = torch.ones_like(raw[:, :1]) if masks is None else 1 - masks[:used]
    logits = torch.zeros(len(restored), device=restored.device, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=_RATE)
    with torch.enable_grad():
        for _ in range(_STEPS):
            unlike = 1 - similarity_map(blend(restored, logits.softmax(0)), raw)
            loss = (unlike * hidden).sum() / hidden.sum().clamp_min(1.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return logits.detach().softmax(0)
