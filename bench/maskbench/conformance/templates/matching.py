"""One paragraph: how the attack tells which candidate a release is of."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import MatchingAttack, Release
from pydantic import Field
from torch import Tensor


class NewAttack(MatchingAttack):
    """The nearest picture, pixel by pixel."""  # `maskbench list attacks` shows this line

    name: ClassVar[str] = "new-attack"  # what is typed after --attack
    source: ClassVar[str] = "maskbench"  # or the paper: arXiv number, section or equation

    # A parameter: typed, checked, set by --attack new-attack:norm=1, and part of every cache key.
    norm: float = Field(2.0, ge=1, le=4, description="exponent of the distance between two images")

    # Scores, float32 (N, candidates), on the CPU: the higher, the more alike. Candidates are raw pictures, or other
    # releases where the question is which of them shows the same picture. Some are of no release at all.
    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        return -torch.cdist(release.images.flatten(1), candidates.images.flatten(1), p=self.norm)

    # An attack that learns implements fit(self, aux): aux.train has raw pictures of the attacker's own and what the
    # method makes of them; aux.release(pictures, draw) runs the method. What fit returns is there as self.state.
