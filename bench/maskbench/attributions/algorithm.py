"""The contract of an attribution algorithm, and how one is found by its name."""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import torch
from torch import Tensor

from maskbench.attributions.passes import PassSize
from maskbench.errors import ContractViolation
from maskbench.models.recognizer import Recognizer
from maskbench.plugins.base import Plugin
from maskbench.plugins.catalogue import catalogue, create_nested
from maskbench.plugins.names import parse_nested


class Algorithm(Plugin):
    """An attribution algorithm, chosen by ``NAME`` or ``NAME(parameter=value,…)``. Implement ``attribute``."""

    @abstractmethod
    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        """How much each pixel matters to the network's logit of the class that it predicts for the image.

        Args:
            network: in evaluation mode, its weights without gradients.
            images: float32 (N, C, H, W) in [0, 1], N ≤ ``pass_size``.
            pass_size: at most this many images go through the network at once; of each image,
                ``pass_size // N`` variations.

        Returns:
            float32 (N, 1, H, W), higher = matters more; the scale is the algorithm's own.
        """

    @final
    def explain(self, network: Recognizer, images: Tensor, pass_size: PassSize | None = None) -> Tensor:
        """Attribute the class that the network predicts, in bounded memory, and check the answer: float32 (N, 1, H, W).

        An image's answer depends on the other images only in its rounding.

        Args:
            network: in evaluation mode, its weights without gradients.
            images: float32 (N, C, H, W) in [0, 1].
            pass_size: how many images go through the network at once; halved where the GPU's memory runs out. Without
                one it is measured; who calls often measures once.

        Raises:
            ContractViolation: the answer has another shape, or values that are not finite.
            torch.OutOfMemoryError: the GPU has no room for a single image.
        """
        size = PassSize.fitting(network, images) if pass_size is None else pass_size
        parts: list[Tensor] = []
        start = 0
        while start < len(images):
            rest = len(images) - start
            count = -(-rest // -(-rest // size.images))  # equal parts: no small one at the end
            try:
                parts.append(self.attribute(network, images[start : start + count], size.images).detach())
            except torch.OutOfMemoryError:
                if size.images == 1:
                    raise
                size.halve()
            else:
                start += count
        scores = torch.cat(parts).to(torch.float32)
        expected = (images.shape[0], 1, *images.shape[2:])
        if scores.shape != expected or not bool(torch.isfinite(scores).all()):
            raise ContractViolation(
                f"attribution '{self.name}' gave {tuple(scores.shape)} (finite: {bool(torch.isfinite(scores).all())}), "
                f"expected finite values of shape {expected}"
            )
        return scores


def module_of(text: str) -> str:
    """The module that holds an algorithm, found without importing it: planning needs no Captum.

    Args:
        text: ``NAME`` or ``NAME(parameter=value,…)``.

    Raises:
        UsageError: there is none of that name; the message has the nearest one.
    """
    return catalogue().module("attribution", parse_nested(text)[0])


def find(text: str) -> Algorithm:
    """The algorithm of a name, or of a name with parameters: ``rise(masks=1000)``.

    Raises:
        UsageError: as ``module_of``, or a parameter that it does not take.
    """
    algorithm: Algorithm = create_nested("attribution", text)
    return algorithm
