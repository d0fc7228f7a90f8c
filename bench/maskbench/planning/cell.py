"""One combination of the matrix: what is scored, on which method, for which label, under which seed."""

from __future__ import annotations

from dataclasses import dataclass

from maskbench.data.parties import Label
from maskbench.plugins.attack import Attack
from maskbench.plugins.matching import Question
from maskbench.plugins.method import Method
from maskbench.plugins.reserved import AVERAGED, BESIDE, FIND_MASKS, MEMBERSHIP, RECOGNITION, STACKED
from maskbench.stages.stage import Stage

_KINDS = {RECOGNITION: "none", FIND_MASKS: "masks", MEMBERSHIP: "membership"}


@dataclass(frozen=True)
class Cell:
    """One combination of the matrix.

    Attributes:
        attack: a plug-in, or the reserved name of what is scored in its place.
        label: the label that is recognized or inferred; None for restoration.
        scoring: the stage whose artifact holds the outcomes; None where the cell cannot run here.
        unavailable: why it cannot run here, where it cannot.
        question: what a matching attack is asked; None for others.
        aux_share: of its training pictures the attacker uses this share.
    """

    method: Method
    attack: Attack | str
    label: Label | None
    seed: int
    scoring: Stage | None
    unavailable: str | None = None
    aux_share: float = 1.0
    question: Question | None = None

    @property
    def plugin(self) -> Attack | None:
        """The attack, where a plug-in is scored."""
        return None if isinstance(self.attack, str) else self.attack

    @property
    def attack_name(self) -> str:
        """What tables have in the column ``attack``."""
        return self.attack if isinstance(self.attack, str) else self.attack.label()

    @property
    def attack_kind(self) -> str:
        """The column ``attack_kind``: none, masks, membership, restoration, inference, or a ``Question``."""
        if self.question is not None:
            return self.question
        if self.attack in (STACKED, AVERAGED, *BESIDE):
            return "restoration" if self.label is None else "inference"
        return _KINDS[self.attack] if isinstance(self.attack, str) else self.attack.kind
