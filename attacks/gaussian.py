"""Inference by Bayes' rule: a Gaussian model of each class, and the kept pixels."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor

from ._coordinates import whole_pictures
from ._factors import Factors


class Gaussian(InferenceAttack):
    """Bayes' rule with Gaussian classes of one covariance, on the kept pixels alone: the generative twin of linear."""

    name: ClassVar[str] = "gaussian"
    source: ClassVar[str] = "Fisher 1936 (linear discriminants); covariance shrunk by 0907.4698, equation 23"
    trains_network: ClassVar[bool] = False

    components: int = Field(256, ge=2, description="principal components of the covariance; the rest is noise")

    def fit(self, aux: InferenceAux) -> Any:
        pictures, labels = (each.to(aux.device) for each in whole_pictures(aux))
        counts = torch.bincount(labels, minlength=aux.classes)
        sums = torch.zeros(aux.classes, pictures[0].numel(), device=aux.device)
        sums.index_add_(0, labels, pictures.flatten(1))
        means = torch.where(counts[:, None] > 0, sums / counts.clamp_min(1)[:, None], pictures.flatten(1).mean(0))
        factors = Factors.fitted(pictures, self.components, about=means[labels])
        return factors, factors.projected(means), ((counts + 1) / (counts + 1).sum()).log()

    def infer(self, release: Release, device: torch.device) -> Tensor:
        factors, means, log_prior = self.state
        return (factors.log_likelihoods(release, means) + log_prior).cpu()
