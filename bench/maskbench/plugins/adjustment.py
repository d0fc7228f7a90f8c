"""The contract of a model adjustment: how a recognizer is made to deal with masks."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from maskbench.models.recognizer import Recognizer
from maskbench.plugins.base import Plugin


class Adjustment(Plugin):
    """A model adjustment, chosen by ``adjust=NAME`` for any mask method. Implement ``wrap``; ``loss`` is optional.

    Attributes:
        needs_masks: whether the wrapped module looks at the masks; it cannot be used where they are withheld.
        needs_teacher: whether ``wrap`` and ``loss`` want the owner's recognizer of raw images. Fair only where the
            owner trains, or hands out along with the release what that recognizer learned from raw images.
    """

    needs_masks: ClassVar[bool] = False
    needs_teacher: ClassVar[bool] = False

    @abstractmethod
    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        """Return a module called as ``module(images, masks)`` that holds the recognizer and is trained with it.

        Raises:
            Unavailable: this recognizer cannot be adjusted so; the message says why.
        """

    def loss(self, task: Tensor, logits: Tensor, taught: Tensor | None) -> Tensor:
        """What training minimises: by default the cross-entropy with the labels, ``task``.

        Args:
            task: the mean cross-entropy of a batch.
            logits: N × classes, what the adjusted recognizer says of the released images.
            taught: N × classes, what the teacher says of the same images raw; None where none is wanted.
        """
        return task
