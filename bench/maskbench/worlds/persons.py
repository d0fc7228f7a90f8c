"""Several pictures of each person: what a person looks like is drawn once, and stays from picture to picture."""

from __future__ import annotations

import numpy as np

from maskbench.worlds.distribution import Array
from maskbench.worlds.fields import CLASSES, TASKS, covariance, patterns, squared_exponential, templates
from maskbench.worlds.mixture import Mixture, mixture

PICTURES = 4
"""Of each person; each task has as many of them."""

_AMPLITUDE = 0.021
_LENGTH = 2.0  # px
_LIKENESS, _LIKENESS_LENGTH = 0.04, 1.5  # of what is a person's own: grey values, and px


def build(side: int, generator: np.random.Generator) -> Mixture:
    """x = ½ + template(task) + pattern(sensitive) + likeness(person) + field + noise.

    A person has one sensitive class, and as many pictures of each task. The likeness is a Gaussian field.
    """
    own = templates(side, generator)
    found = _AMPLITUDE * patterns(CLASSES, side, _LENGTH, generator)
    likeness = _LIKENESS**2 * squared_exponential(side, _LIKENESS_LENGTH)
    even: Array = np.full((CLASSES, TASKS), 1 / (CLASSES * TASKS))
    return mixture([[pattern] for pattern in found], own, (covariance(side) + likeness)[None], even, shared=likeness)
