"""What a world draws its pictures from."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Distribution(ABC):
    """A joint distribution of picture, task label and sensitive label."""

    @property
    @abstractmethod
    def prior(self) -> Array:
        """P(sensitive, task), (sensitive classes, task classes)."""

    @property
    def of_persons(self) -> bool:
        """Whether pictures of one person have something in common."""
        return False

    @abstractmethod
    def draw(
        self,
        sensitive: NDArray[np.int64],
        task: NDArray[np.int64],
        generator: np.random.Generator,
        persons: NDArray[np.int64] | None = None,
    ) -> NDArray[np.uint8]:
        """Draw a picture for each pair of labels: uint8 (N, D).

        Args:
            persons: int64 (N,), 0 … P − 1, who is on each picture, where that makes a difference.
        """


def drawn_given_labels(
    joint: Array, sensitive: NDArray[np.int64], task: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw one of K things for each pair of labels.

    Args:
        joint: (K, sensitive classes, task classes), P(thing, sensitive, task).

    Returns:
        int64 (N,), 0 … K − 1.
    """
    uniform = generator.random(len(sensitive))
    chosen = np.empty(len(sensitive), np.int64)
    for one, other in np.ndindex(*joint.shape[1:]):
        steps = joint[:, one, other].cumsum()
        rows = (sensitive == one) & (task == other)
        chosen[rows] = np.searchsorted(steps[:-1] / steps[-1], uniform[rows], side="right")
    return chosen
