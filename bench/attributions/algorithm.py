"""What an attribution algorithm is, and how one is found by its name."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

import bench.attributions
from bench.errors import ContractViolation, unknown
from bench.models.recognizer import Recognizer


class Algorithm(ABC):
    """An attribution algorithm. Implement ``attribute``.

    Attributes:
        name: what the user types.
        source: the paper.
    """

    name: ClassVar[str]
    source: ClassVar[str]

    @abstractmethod
    def attribute(self, network: Recognizer, images: Tensor, classes: Tensor) -> Tensor:
        """How much each pixel matters to the network's logit of a class.

        Args:
            network: in evaluation mode, its weights without gradients.
            images: float32 N C H W in [0, 1].
            classes: int64 (N,), the class to explain.

        Returns:
            float32 N 1 H W, higher = matters more; the scale is the algorithm's own.
        """

    def explain(self, network: Recognizer, images: Tensor) -> Tensor:
        """Attribute the class that the network predicts, and check the answer: float32 N 1 H W."""
        with torch.no_grad():
            classes = network(images).argmax(dim=1)
        scores = self.attribute(network, images, classes).detach().to(torch.float32)
        expected = (images.shape[0], 1, *images.shape[2:])
        if scores.shape != expected or not bool(torch.isfinite(scores).all()):
            raise ContractViolation(
                f"attribution '{self.name}' gave {tuple(scores.shape)} (finite: {bool(torch.isfinite(scores).all())}), "
                f"expected finite values of shape {expected}"
            )
        return scores


@lru_cache(maxsize=1)
def algorithms() -> dict[str, Algorithm]:
    """Name → algorithm, for all that lie in ``bench/attributions``."""
    found: dict[str, Algorithm] = {}
    for info in pkgutil.iter_modules(bench.attributions.__path__):
        module = importlib.import_module(f"bench.attributions.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Algorithm) and "name" in vars(value):
                found[value.name] = value()
    return found


def find(name: str) -> Algorithm:
    """The algorithm of a name.

    Raises:
        UsageError: there is none; the message has the nearest name.
    """
    if name not in algorithms():
        raise unknown("attribution", name, algorithms())
    return algorithms()[name]
