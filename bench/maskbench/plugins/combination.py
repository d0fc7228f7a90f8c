"""Several model adjustments at once: ``adjust=masknet+distill``."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn

from maskbench.artifacts.inline import code_root
from maskbench.errors import UsageError
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.plugins.adjustment import ACTS_ON, Adjustment
from maskbench.plugins.catalogue import create_nested
from maskbench.plugins.names import parts


class Combination:
    """Adjustments that act together, or a single one.

    They are applied in the order of ``ACTS_ON``, however the user wrote them: so what one of them puts around a
    network holds what the others made of it.
    """

    def __init__(self, adjustments: tuple[Adjustment, ...]) -> None:
        self.adjustments = tuple(sorted(adjustments, key=lambda each: ACTS_ON.index(each.acts_on)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Build what the user wrote, ``NAME+NAME(parameter=value)``.

        Raises:
            UsageError: a name is not known, a parameter not valid, or two of them act on the same part of training.
        """
        names = parts(text, "+")
        if "+".join(names) != text or not names:
            raise UsageError(f"adjust={text}: expected NAME or NAME+NAME, with a name on both sides of each '+'.")
        adjustments: list[Adjustment] = [create_nested("adjustment", name) for name in names]
        acting: dict[str, str] = {}
        for each in adjustments:
            if len(adjustments) > 1 and each.name == "none":
                raise UsageError(f"adjust={text}: 'none' goes with no other adjustment; leave it out.")
            if each.acts_on in acting:
                raise UsageError(
                    f"adjust={text}: '{acting[each.acts_on]}' and '{each.name}' both act on the {each.acts_on}; choose "
                    "one of them."
                )
            acting[each.acts_on] = each.name
        return cls(tuple(adjustments))

    @property
    def needs_masks(self) -> bool:
        """Whether one of them looks at the masks."""
        return any(each.needs_masks for each in self.adjustments)

    @property
    def needs_teacher(self) -> bool:
        """Whether one of them wants the owner's recognizer of raw images."""
        return any(each.needs_teacher for each in self.adjustments)

    @property
    def needs_answers(self) -> bool:
        """Whether one of them wants what that recognizer says of the training images."""
        return any(each.needs_answers for each in self.adjustments)

    @property
    def needs_public(self) -> bool:
        """Whether one of them starts from what public pictures taught."""
        return any(each.needs_public for each in self.adjustments)

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        """The module ``module(images, masks)`` that all of them make of a recognizer.

        Raises:
            Unavailable: one of them cannot adjust this recognizer.
        """
        network: nn.Module = ImageOnly(recognizer)
        for each in self.adjustments:
            network = each.around(network, recognizer, teacher if each.needs_teacher else None)
        return network

    def answer_temperature(self) -> float:
        """What the answers are softened by that one of them wants."""
        return next((each.answer_temperature() for each in self.adjustments if each.needs_answers), 1.0)

    def loss(self, task: Tensor, logits: Tensor, taught: Tensor | None) -> Tensor:
        """What training minimises; each of them is given what those before it made of the cross-entropy."""
        for each in self.adjustments:
            task = each.loss(task, logits, taught if each.needs_answers else None)
        return task

    def parameters(self) -> dict[str, Any]:
        """What decides about the trained module, for keys."""
        return {each.name: each.identity() for each in self.adjustments}

    def modules(self) -> tuple[str, ...]:
        """The code roots of all of them."""
        return tuple(code_root(type(each)) for each in self.adjustments)
