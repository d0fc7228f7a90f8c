"""The pattern of the sensitive class comes with a random sign: linear attackers read nothing."""

from __future__ import annotations

import numpy as np

from maskbench.worlds.fields import CLASSES, covariance, patterns, prior, templates
from maskbench.worlds.mixture import Mixture, mixture

_AMPLITUDE = 0.029
_LENGTH = 2.0  # px


def build(side: int, generator: np.random.Generator) -> Mixture:
    """x = ½ + template(task) ± pattern(sensitive) + field + noise, both signs equally likely."""
    own = templates(side, generator)
    found = _AMPLITUDE * patterns(CLASSES, side, _LENGTH, generator)
    return mixture([[pattern, -pattern] for pattern in found], own, covariance(side)[None], prior())
