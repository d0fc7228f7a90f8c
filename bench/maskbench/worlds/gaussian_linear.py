"""A pattern for each sensitive class, always at its place: a linear attacker can reach the optimum."""

from __future__ import annotations

import numpy as np

from maskbench.worlds.fields import CLASSES, covariance, patterns, prior, templates
from maskbench.worlds.mixture import Mixture, mixture

_AMPLITUDE = 0.021
_LENGTH = 2.0  # px


def build(side: int, generator: np.random.Generator) -> Mixture:
    """x = ½ + template(task) + pattern(sensitive) + field + noise."""
    own = templates(side, generator)
    found = _AMPLITUDE * patterns(CLASSES, side, _LENGTH, generator)
    return mixture([[pattern] for pattern in found], own, covariance(side)[None], prior())
