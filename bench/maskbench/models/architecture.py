"""The contract of a recognizer plug-in: an architecture that builds networks for any images and classes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, final

from maskbench.errors import ContractViolation, UsageError
from maskbench.plugins.base import Plugin

if TYPE_CHECKING:
    from maskbench.models.recognizer import Recognizer

FEWEST_CLASSES = 2


class Architecture(Plugin):
    """A recognizer that a user can choose: ``NAME`` or ``NAME:parameter=value,…``. Implement ``build``."""

    @abstractmethod
    def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
        """Build a network with random weights, or those of a file.

        Weights are drawn from torch's global generator, which the engine seeds.

        Args:
            channels: of the images, 1 or 3.
            classes: at least 2.
            size: (H, W) of the images in pixels.

        Returns:
            A recognizer on the CPU, for images (N, C, H, W) in [0, 1].

        Raises:
            UsageError: the network cannot take images of this size, or a file does not fit.
        """

    @final
    def built(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
        """Build a network and judge it; what the engine calls, and what no plug-in can replace.

        Raises:
            UsageError: it cannot run here, fewer than two classes, no images, or as ``build``.
            ContractViolation: ``build`` returned something else.
        """
        from maskbench.models.recognizer import Recognizer

        if classes < FEWEST_CLASSES:
            raise UsageError(f"A recognizer needs at least {FEWEST_CLASSES} classes, got {classes}.")
        if channels < 1 or min(size) < 1:
            raise UsageError(f"A recognizer needs images, got {channels} channels of {size[0]}×{size[1]} px.")
        network = self.build(channels=channels, classes=classes, size=size)
        if not isinstance(network, Recognizer):
            raise ContractViolation(
                f"recognizer '{self.name}' built a {type(network).__name__}: wrap it in maskbench's Recognizer."
            )
        return network
