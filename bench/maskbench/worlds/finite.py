"""All binary pictures of twelve cells with a known prior: few enough that Bayes' rule is a sum over every one.

So the best possible attack is known of every method that is a function of the picture, however it looks at it: masks
that follow the picture included, whose shape tells something by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskbench.worlds.distribution import Array, Distribution, drawn_given_labels
from maskbench.worlds.fields import CLASSES, TASKS, prior
from maskbench.worlds.mixture import LEVELS

_GRID = 4  # cells along a side; the four corners are always dark
_CORNERS = (0, _GRID - 1, _GRID * (_GRID - 1), _GRID * _GRID - 1)
_DARK, _BRIGHT = 0.3, 0.7
_SHADING = 0.06  # grey values up or down, of each pixel for good: without it, cells would tie in every score
_SINGLE, _PAIR, _TASK = 0.35, 0.2, 0.35  # standard deviations of the weights, in nats


@dataclass(frozen=True, eq=False)
class Finite(Distribution):
    """K pictures of D pixels, each with its probability under each pair of labels.

    Attributes:
        pictures: uint8 (K, D), all different.
        joint: (K, sensitive classes, task classes), P(picture, sensitive, task); adds up to 1.
    """

    pictures: NDArray[np.uint8]
    joint: Array

    @property
    def prior(self) -> Array:
        return self.joint.sum(0)

    def draw(
        self,
        sensitive: NDArray[np.int64],
        task: NDArray[np.int64],
        generator: np.random.Generator,
        persons: NDArray[np.int64] | None = None,
    ) -> NDArray[np.uint8]:
        return self.pictures[drawn_given_labels(self.joint, sensitive, task, generator)]


def build(side: int, generator: np.random.Generator) -> Finite:
    """Every way to fill the cells; log-probabilities have a weight for each cell, and for each pair of cells.

    The weights of cells differ by sensitive class and by task, those of pairs by sensitive class: a linear attacker
    reads a part of what there is.
    """
    free = np.setdiff1d(np.arange(_GRID * _GRID), _CORNERS)
    bright = (np.arange(2 ** len(free))[:, None] >> np.arange(len(free))) & 1
    signs = 2.0 * bright - 1
    single = _SINGLE * generator.standard_normal((CLASSES, len(free)))
    pairs = _PAIR * generator.standard_normal((CLASSES, len(free), len(free)))
    of_task = _TASK * generator.standard_normal((TASKS, len(free)))
    scores = signs @ single.T + np.einsum("ki,sij,kj->ks", signs, np.triu(pairs, 1), signs)
    weights = np.exp(scores[:, :, None] + (signs @ of_task.T)[:, None, :])
    joint = prior() * weights / weights.sum(0)
    cells = np.zeros((len(bright), _GRID * _GRID), np.int64)
    cells[:, free] = bright
    along = np.arange(side) * _GRID // side
    shown = np.array([_DARK, _BRIGHT])[cells.reshape(-1, _GRID, _GRID)[:, along][:, :, along]]
    shown = shown + _SHADING * generator.uniform(-1, 1, (side, side))
    return Finite(np.round(shown * LEVELS).astype(np.uint8).reshape(len(bright), -1), joint)
