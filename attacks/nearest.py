"""Inference by nearest neighbours: given enough pictures, as good as any attack can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from ._coordinates import learned

_CHUNK = 512


class Nearest(InferenceAttack):
    """Labels of the nearest known releases, by components; how many, and by how many components, validation says."""

    name: ClassVar[str] = "nearest"
    source: ClassVar[str] = "1902.01350 (F-BLEAU); Stone 1977 (universal consistency)"
    trains_network: ClassVar[bool] = False

    components: int = Field(100, ge=2, description="principal components of the pictures, at most")

    def fit(self, aux: InferenceAux) -> Any:
        coordinates, known, labels = learned(aux, self.components)
        held_out = coordinates.of(aux.validation.release)
        truth = aux.validation.known_labels.to(aux.device)
        most = len(known)
        neighbours = [count for count in (1, 3, 10, 30, 100, 300) if count < most] or [most]
        sizes = [size for size in (5, 10, 20, 50) if size < known.shape[1]] + [known.shape[1]]
        tried = []
        for size in sizes:
            votes = _votes(held_out[:, :size], known[:, :size], F.one_hot(labels, aux.classes), neighbours)
            for count, found in zip(neighbours, votes, strict=True):
                tried.append((float(F.cross_entropy(_logits(found, count), truth)), count, size))
        _, count, size = min(tried)
        return coordinates, known[:, :size].clone(), F.one_hot(labels, aux.classes), count

    def infer(self, release: Release, device: torch.device) -> Tensor:
        coordinates, known, truth, count = self.state
        (votes,) = _votes(coordinates.of(release)[:, : known.shape[1]], known, truth, [count])
        return _logits(votes, count).cpu()


def _votes(seen: Tensor, known: Tensor, truth: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """How often each class is among the nearest, for each number of them: float32 (N, classes) each."""
    exact = "donot_use_mm_for_euclid_dist"  # else who is nearest would depend on the batch
    nearest = torch.cat(
        [
            torch.cdist(part, known, compute_mode=exact).topk(max(counts), largest=False).indices
            for part in seen.split(_CHUNK)
        ]
    )
    return [truth[nearest[:, :count]].sum(1).float() for count in counts]


def _logits(votes: Tensor, count: int) -> Tensor:
    """Log-probabilities, as if each class had been seen half a time more (Krichevsky and Trofimov 1981)."""
    return ((votes + 0.5) / (count + 0.5 * votes.shape[1])).log()
