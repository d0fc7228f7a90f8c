"""Multinomial regression, with the weight of its penalty chosen on validation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

_DECAYS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # strongest first: each starts from what the one before found
_STEPS = 60


def regressed(known: Tensor, labels: Tensor, classes: int, held_out: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Fit logits ``features @ weights + bias``.

    Args:
        known, held_out: float32 (N, K), features about 0 with a spread of about 1, to learn on and to choose by.
        labels, truth: int64 (N,), their labels.

    Returns:
        Weights (K, classes) and biases (classes,): those with the least cross-entropy on what is held out.
    """
    fitted = regressions(known, labels, classes, _DECAYS)
    return min(fitted, key=lambda each: float(F.cross_entropy(held_out @ each[0] + each[1], truth)))


def regressions(
    known: Tensor,
    labels: Tensor,
    classes: int,
    decays: Iterable[float],
    start: tuple[Tensor, Tensor] | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Fit logits ``features @ weights + bias`` once for each weight of the penalty, each from where the last one ended.

    Args:
        known: float32 (N, K), features about 0 with a spread of about 1.
        labels: int64 (N,), or probabilities, float32 (N, classes).
        decays: weights of the penalty, the strongest first.
        start: weights (K, classes) and biases (classes,) to begin from; None: zeros.

    Yields:
        Weights and biases.
    """
    zeros = torch.zeros(known.shape[1], classes, device=known.device), torch.zeros(classes, device=known.device)
    weights, bias = (part.clone().requires_grad_() for part in start or zeros)
    for decay in decays:
        optimizer = torch.optim.LBFGS([weights, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

        def closure(optimizer: torch.optim.Optimizer = optimizer, decay: float = decay) -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(known @ weights + bias, labels) + decay * weights.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        yield weights.detach().clone(), bias.detach().clone()
