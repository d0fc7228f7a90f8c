"""Masks that know nothing of the image."""

from __future__ import annotations

from typing import ClassVar

from maskbench import Given, MaskMethod
from torch import Tensor


class Random(MaskMethod):
    """Keep pixels or patches at random: what any informed mask must beat at the same ratio."""

    name: ClassVar[str] = "random"
    cpu_only: ClassVar[bool] = True
    mirror_symmetric: ClassVar[bool] = True
    source: ClassVar[str] = "2111.06377 (patches); SEBA's random dropping (pixels)"

    def scores(self, images: Tensor, given: Given) -> Tensor:
        rows, columns = (-(-side // self.unit) for side in images.shape[2:])
        return given.rng.uniform(1, rows, columns)
