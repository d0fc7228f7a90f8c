"""Sensitive classes differ in their local statistics alone: the direction in which the smooth field is stretched."""

from __future__ import annotations

import numpy as np

from maskbench.worlds.distribution import Array
from maskbench.worlds.fields import CLASSES, covariance, prior, templates
from maskbench.worlds.mixture import Mixture, mixture

_STRETCH = 1.4  # the correlation length along the direction is so many times longer, and as much shorter across it


def build(side: int, generator: np.random.Generator) -> Mixture:
    """x = ½ + template(task) + field(sensitive) + noise; the last class has no direction."""
    covariances = np.stack([covariance(side, _stretch(one)) for one in range(CLASSES)])
    flat = [[np.zeros(side * side)] for _ in range(CLASSES)]
    return mixture(flat, templates(side, generator), covariances, prior(), covariance_by_class=True)


def _stretch(sensitive: int) -> Array | None:
    if sensitive == CLASSES - 1:
        return None
    angle = np.pi * sensitive / (CLASSES - 1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.diag([1 / _STRETCH, _STRETCH]) @ turn.T
