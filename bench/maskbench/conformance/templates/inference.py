"""One paragraph: what the attack infers the label from."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from maskbench import InferenceAttack, InferenceAux, Release
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F


class NewAttack(InferenceAttack):
    """Choose the label whose mean release is nearest."""  # `maskbench list attacks` shows this line

    name: ClassVar[str] = "new-attack"  # what is typed after --attack
    source: ClassVar[str] = "maskbench"  # or the paper: arXiv number, section or equation

    # A parameter: typed, checked, set by --attack new-attack:norm=1, and part of every cache key.
    norm: float = Field(2.0, ge=1, le=4, description="exponent of the distance between two images")

    # aux.train.release: what the method makes of pictures whose labels the attacker knows. What fit returns is there
    # as self.state. aux.new_classifier(channels, classes) gives a network for maskbench.train_classifier.
    def fit(self, aux: InferenceAux) -> Any:
        known = aux.train.release.images.flatten(1)
        belongs = F.one_hot(aux.train.known_labels, aux.classes).to(known.dtype)
        return belongs.T @ known / belongs.sum(dim=0).clamp_min(1)[:, None]

    # Logits, float32 (N, classes), on the CPU: the higher, the likelier.
    def infer(self, release: Release, device: torch.device) -> Tensor:
        return -torch.cdist(release.images.flatten(1), self.state, p=self.norm)
