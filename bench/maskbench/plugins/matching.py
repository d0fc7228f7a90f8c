"""The contract of a matching attack: which of some candidates a release is of."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor

from maskbench.plugins import judging
from maskbench.plugins.attack import Attack, AttackKind
from maskbench.plugins.knowledge import Aux
from maskbench.release import Release

Question = Literal["matching", "linkage", "person-linkage"]
"""What is asked: of which raw picture a release is (singling out), which other release is of the same picture, or which
release of another picture is of the same person."""


@dataclass(frozen=True, kw_only=True)
class MatchingAux(Aux):
    """What a matching attack gets in addition.

    Attributes:
        question: what the attack will be asked.
        train_persons, validation_persons: int64 (N,), who is on each of the attacker's pictures; None where the data do
            not say. Persons of the attacker's are none of the owner's.
    """

    question: Question
    train_persons: Tensor | None = None
    validation_persons: Tensor | None = None


class MatchingAttack(Attack):
    """An attack that tells which candidate a release is of. Implement ``match``; ``fit`` is optional.

    It learns before it sees a candidate. Candidates come in random order: those that releases are of, others of the
    same data, and a control pool that holds no match. The engine alone knows which is which.

    Attributes:
        questions: what it can be asked. Of persons it is asked where the data say who is on each picture.
    """

    kind: ClassVar[AttackKind] = "matching"
    questions: ClassVar[tuple[Question, ...]] = ("matching", "linkage", "person-linkage")

    def fit(self, aux: MatchingAux) -> Any:
        """Learn from the attacker's own pictures; whatever is returned comes back as ``self.state``."""
        return None

    @abstractmethod
    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        """How alike they are: float32 (N, M), higher = more alike, on the CPU.

        Args:
            release: of N pictures; the attack may look at all of them together.
            candidates: M raw pictures, which have no masks; or M other releases, where those are asked for: of the
                same pictures, or of other pictures of the same persons.
        """

    @final
    def matched(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        """Match and judge."""
        proposed = self.match(release, candidates, device)
        return judging.scores(proposed, len(release), len(candidates), f"attack '{self.name}'")
