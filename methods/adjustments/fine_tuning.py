"""Starting from what the owner's recognizer of raw images knows."""

from __future__ import annotations

from typing import ClassVar

from maskbench import ActsOn, Adjustment, ImageOnly, Recognizer
from torch import nn


class FineTuning(Adjustment):
    """The recognizer starts from the weights of the owner's raw teacher.

    Fair only where the owner trains: weights learned from raw images tell of them, and this benchmark attacks the
    release alone.
    """

    name: ClassVar[str] = "fine-tune"
    acts_on: ClassVar[ActsOn] = "weights"
    needs_teacher: ClassVar[bool] = True

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        assert teacher is not None, "needs_teacher is set"
        recognizer.load_state_dict(teacher.state_dict())
        return ImageOnly(recognizer)
