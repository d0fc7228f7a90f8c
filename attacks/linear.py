"""Inference by a linear classifier of components: what needs no network, and no time."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor

from ._coordinates import learned
from ._regression import regressed


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
        return coordinates, *regressed(known, labels, aux.classes, held_out, truth)

    def infer(self, release: Release, device: torch.device) -> Tensor:
        coordinates, weights, bias = self.state
        return (coordinates.of(release) @ weights + bias).cpu()
