"""The pattern of the sensitive class lies at an unknown place: the optimum is a sum over all offsets."""

from __future__ import annotations

import numpy as np

from maskbench.worlds.distribution import Array
from maskbench.worlds.fields import CLASSES, covariance, periodic_patterns, prior, templates
from maskbench.worlds.mixture import Mixture, mixture

_AMPLITUDE = 0.052
_LENGTH = 2.0  # px
_STEP = 2  # px between two offsets


def build(side: int, generator: np.random.Generator) -> Mixture:
    """x = ½ + template(task) + pattern(sensitive), shifted round by an even number of pixels, + field + noise."""
    own = templates(side, generator)
    found = _AMPLITUDE * periodic_patterns(CLASSES, side, _LENGTH, generator)
    return mixture([_shifted(pattern, side) for pattern in found], own, covariance(side)[None], prior())


def _shifted(pattern: Array, side: int) -> list[Array]:
    square = pattern.reshape(side, side)
    steps = range(0, side, _STEP)
    return [np.roll(square, (down, right), axis=(0, 1)).ravel() for down in steps for right in steps]
