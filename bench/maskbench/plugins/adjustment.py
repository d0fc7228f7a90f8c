"""The contract of a model adjustment: how a recognizer is made to deal with masks."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal, get_args

from torch import Tensor, nn

from maskbench.models.recognizer import Recognizer
from maskbench.plugins.base import Plugin

ActsOn = Literal["weights", "network", "batches", "loss"]
ACTS_ON: tuple[ActsOn, ...] = get_args(ActsOn)
"""What an adjustment can act on, in the order in which a combination applies them."""


class Adjustment(Plugin):
    """A model adjustment, chosen by ``adjust=NAME`` for any mask method. Implement ``wrap``; ``loss`` is optional.

    Adjustments that act on different things can be combined, ``adjust=masknet+distill``.

    Attributes:
        acts_on: ``weights``: what the recognizer starts from; ``network``: how it deals with masks; ``batches``: what
            training shows it; ``loss``: what training minimises.
        needs_masks: whether the wrapped module looks at the masks; it cannot be used where they are withheld.
        needs_teacher: whether ``wrap`` wants the owner's recognizer of raw images. Fair only where the owner trains, or
            hands out along with the release what that recognizer learned from raw images.
        needs_answers: whether ``loss`` wants what that recognizer says of the training images: soft labels, which the
            owner hands out with the release. No weights leave.
        needs_public: whether the recognizer that ``wrap`` is handed has learned before, from raw pictures that are not
            the owner's: public ones, which the third party has. In a run the attacker's stand in for them.
    """

    acts_on: ClassVar[ActsOn] = "network"
    needs_masks: ClassVar[bool] = False
    needs_teacher: ClassVar[bool] = False
    needs_answers: ClassVar[bool] = False
    needs_public: ClassVar[bool] = False

    @abstractmethod
    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        """Return a module called as ``module(images, masks)`` that holds the recognizer and is trained with it.

        Raises:
            Unavailable: this recognizer cannot be adjusted so; the message says why.
        """

    def around(self, network: nn.Module, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        """Apply the adjustment to what those before it in a combination made of the recognizer.

        By default ``wrap`` is used: its module takes the place of ``network`` where it acts on the network, and only
        what it did to the recognizer stays where it does not. One that acts on batches puts its own around it.

        Args:
            network: ``network(images, masks)``, which holds the recognizer.
        """
        wrapped = self.wrap(recognizer, teacher)
        return wrapped if self.acts_on == "network" else network

    def answer_temperature(self) -> float:
        """What logits are divided by before they are handed out as soft labels, where ``needs_answers``."""
        return 1.0

    def loss(self, task: Tensor, logits: Tensor, taught: Tensor | None) -> Tensor:
        """What training minimises: by default the cross-entropy with the labels, ``task``.

        Args:
            task: the mean cross-entropy of a batch.
            logits: N × classes, what the adjusted recognizer says of the released images.
            taught: N × classes, what the teacher says of the same images raw: logits, but for a constant in each row;
                None where none is wanted.
        """
        return task
