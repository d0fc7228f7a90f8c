"""Inference by a linear classifier of components: what needs no network, and no time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from ._coordinates import learned

_DECAYS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # strongest first: each starts from what the one before found
_STEPS = 60


class Linear(InferenceAttack):
    """Multinomial regression on principal components of the release (with masks: their mean given the kept pixels)."""

    name: ClassVar[str] = "linear"
    source: ClassVar[str] = "Turk and Pentland 1991 (eigenfaces); factor analysis with missing data"
    trains_network: ClassVar[bool] = False

    components: int = Field(200, ge=2, description="principal components of the pictures")

    def fit(self, aux: InferenceAux) -> Any:
        coordinates, known, labels = learned(aux, self.components)
        held_out = coordinates.of(aux.validation.release)
        truth = aux.validation.known_labels.to(aux.device)
        fitted = regressions(known, labels, aux.classes)
        weights, bias = min(fitted, key=lambda each: float(F.cross_entropy(held_out @ each[0] + each[1], truth)))
        return coordinates, weights, bias

    def infer(self, release: Release, device: torch.device) -> Tensor:
        coordinates, weights, bias = self.state
        return (coordinates.of(release) @ weights + bias).cpu()


def regressions(known: Tensor, labels: Tensor, classes: int) -> Sequence[tuple[Tensor, Tensor]]:
    """Weights (K, classes) and biases (classes,), for each of ``_DECAYS``."""
    weights = torch.zeros(known.shape[1], classes, device=known.device, requires_grad=True)
    bias = torch.zeros(classes, device=known.device, requires_grad=True)
    found = []
    for decay in _DECAYS:
        optimizer = torch.optim.LBFGS([weights, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

        def closure(optimizer: torch.optim.Optimizer = optimizer, decay: float = decay) -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(known @ weights + bias, labels) + decay * weights.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        found.append((weights.detach().clone(), bias.detach().clone()))
    return found
