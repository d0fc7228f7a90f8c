"""Inference that learns from the whole release before it answers for one picture of it."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from ._coordinates import learned
from ._regression import regressions

_DECAYS = (0.1, 0.03, 0.01, 0.003)  # strongest first: each starts from what the one before found


class Transductive(InferenceAttack):
    """Regression as in ``linear``, about the mean of each release, that goes on learning from its own answers.

    What all pictures of a release share is no answer for any of them, so it is taken off: from the releases of the
    attacker's, each for itself, and from the owner's. Then the model is fitted again, to its own soft answers for the
    whole release as well, given the task labels; validation says after how many rounds that is best.
    """

    name: ClassVar[str] = "transductive"
    source: ClassVar[str] = "Vapnik 1998, chapter 8 (transduction); Scudder 1965 (self-training), with soft labels"
    trains_network: ClassVar[bool] = False

    components: int = Field(200, ge=2, description="principal components of the pictures")
    rounds: int = Field(3, ge=0, description="times that it learns from its own answers, at most")

    def fit(self, aux: InferenceAux) -> Any:
        coordinates, known, labels = learned(aux, self.components)
        each = len(aux.train.release) // aux.train.copies
        known = torch.cat([part - part.mean(0) for part in known.split(each)])
        held_out = coordinates.of(aux.validation.release)
        parties = [held_out.mean(0)]
        truth = aux.validation.known_labels.to(aux.device)
        targets = F.one_hot(labels, aux.classes).float()

        def loss_of(model: tuple[Tensor, Tensor]) -> float:
            return float(F.cross_entropy(_answers(held_out - parties[0], model), truth))

        fitted = regressions(known, targets, aux.classes, _DECAYS)
        decay, best = min(zip(_DECAYS, fitted, strict=True), key=lambda pair: loss_of(pair[1]))
        model = best
        if aux.owner_release is not None:
            owner = coordinates.of(aux.owner_release)
            parties.append(owner.mean(0))
            owner = owner - parties[1]
            for _ in range(self.rounds):
                own = (_answers(owner, model) + _told(aux)).softmax(1)
                (model,) = regressions(
                    torch.cat([known, owner]), torch.cat([targets, own]), aux.classes, (decay,), model
                )
                best = min(best, model, key=loss_of)
        return coordinates, torch.stack(parties), best

    def infer(self, release: Release, device: torch.device) -> Tensor:
        coordinates, parties, model = self.state
        seen = coordinates.of(release)
        exact = "donot_use_mm_for_euclid_dist"  # else whose picture it is would depend on the batch
        party = torch.cdist(seen, parties, compute_mode=exact).argmin(1)
        return _answers(seen - parties[party], model).cpu()


def _answers(seen: Tensor, model: tuple[Tensor, Tensor]) -> Tensor:
    return seen @ model[0] + model[1]


def _told(aux: InferenceAux) -> Tensor:
    """What the task label of each released picture adds, log P(s|t) − log P(s): (N, classes), or one row of zeros."""
    told = None if aux.owner_release is None else aux.owner_release.task_labels
    known = aux.train.release.task_labels
    if told is None or known is None:
        return torch.zeros(1, aux.classes, device=aux.device)
    tasks = int(max(told.max(), known.max())) + 1
    pairs = torch.bincount(known * aux.classes + aux.train.known_labels, minlength=tasks * aux.classes)
    counts = pairs.view(tasks, aux.classes).float() / aux.train.copies + 1 / max(tasks, aux.classes)
    shares = (counts / counts.sum(1, keepdim=True)).log() - (counts.sum(0) / counts.sum()).log()
    return shares[told].to(aux.device)
