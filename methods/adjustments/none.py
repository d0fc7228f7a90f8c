"""No adjustment."""

from __future__ import annotations

from typing import ClassVar

from maskbench import Adjustment, ImageOnly, Recognizer
from torch import nn


class Unadjusted(Adjustment):
    """The recognizer sees the filled image and is not told what was hidden."""

    name: ClassVar[str] = "none"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return ImageOnly(recognizer)
