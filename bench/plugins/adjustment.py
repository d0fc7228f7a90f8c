"""The contract of a model adjustment: how a recognizer is made to deal with masks."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import nn

from bench.models.recognizer import Recognizer
from bench.plugins.base import Plugin


class Adjustment(Plugin):
    """A model adjustment, chosen by ``adjust=NAME`` for any mask method. Implement ``wrap``.

    Attributes:
        needs_teacher: whether ``wrap`` wants the owner's recognizer of raw images. Fair only where the owner trains.
    """

    needs_teacher: ClassVar[bool] = False

    @abstractmethod
    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        """Return a module called as ``module(images, masks)`` that holds the recognizer and is trained with it."""
