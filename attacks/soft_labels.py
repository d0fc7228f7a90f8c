"""Inference from what the owner's teacher says of each raw picture, where a method hands that out."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor

from ._coordinates import learned
from ._regression import regressed

_LEAST = 1e-6  # spread below which a value is the same everywhere


class SoftLabels(InferenceAttack):
    """Regression as in ``linear``, on the soft labels of a picture beside its components.

    The attacker trains a teacher of its own on its pictures, and learns how its answers go together with the sensitive
    label. A picture that comes without soft labels is answered from its components alone.
    """

    name: ClassVar[str] = "soft-labels"
    source: ClassVar[str] = "maskbench; what soft labels tell beside the class: 1503.02531, section 1"
    needs_soft_labels: ClassVar[bool] = True
    trains_network: ClassVar[bool] = False

    components: int = Field(200, ge=0, description="principal components beside the soft labels; 0: these alone")

    def fit(self, aux: InferenceAux) -> Any:
        truth = aux.validation.known_labels.to(aux.device)
        labels = aux.train.known_labels.to(aux.device)
        known = torch.zeros(len(labels), 0, device=aux.device)
        coordinates = None
        if self.components:
            coordinates, known, labels = learned(aux, max(2, self.components))

        def fitted(extra: Tensor | None, held_out: Release) -> tuple[Tensor, Tensor]:
            rows = known if extra is None else torch.cat([known, extra], dim=1)
            return regressed(rows, labels, aux.classes, self._rows(coordinates, held_out, spread, aux.device), truth)

        spread, told, with_soft = None, aux.train.release.soft_labels, None
        if told is not None:
            found = _values(told.to(aux.device))
            deviation = found.std(0, correction=0)
            spread = found.mean(0), torch.where(deviation > _LEAST, deviation, 1.0)
            extra = ((found - spread[0]) / spread[1]).repeat(len(labels) // len(found), 1)
            with_soft = fitted(extra, aux.validation.release)
        without = fitted(None, aux.validation.release.with_soft_labels(None))
        return coordinates, spread, with_soft, without

    def infer(self, release: Release, device: torch.device) -> Tensor:
        coordinates, spread, with_soft, without = self.state
        weights, bias = without if with_soft is None or release.soft_labels is None else with_soft
        shown = release if with_soft is not None else release.with_soft_labels(None)
        return (self._rows(coordinates, shown, spread, device) @ weights + bias).cpu()

    def _rows(
        self, coordinates: Any, release: Release, spread: tuple[Tensor, Tensor] | None, device: torch.device
    ) -> Tensor:
        parts = [torch.zeros(len(release), 0, device=device) if coordinates is None else coordinates.of(release)]
        if release.soft_labels is not None and spread is not None:
            parts.append((_values(release.soft_labels.to(device)) - spread[0]) / spread[1])
        return torch.cat(parts, dim=1)


def _values(soft_labels: Tensor) -> Tensor:
    """What is read of soft labels, float32 (N, 2 · classes): how sure the teacher is of each class, and its square."""
    centred = soft_labels - soft_labels.mean(1, keepdim=True)
    return torch.cat([centred, centred.square()], dim=1)
