"""Masks from an interpretation algorithm: our reading of arXiv 2312.08975."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator
from torch import Tensor

from bench import Attribution, Given, MaskMethod
from bench.attributions.algorithm import find


class Saliency(MaskMethod):
    """Keep what an attribution says matters to a teacher of the task, hide the rest."""

    name: ClassVar[str] = "saliency"
    mirror_symmetric: ClassVar[bool] = True
    source: ClassVar[str] = "our reading of 2312.08975"

    attribution: str = Field("integrated-gradients", description="from `maskbench list attributions`")

    @field_validator("attribution")
    @classmethod
    def _known_attribution(cls, value: str) -> str:
        find(value)
        return value

    def requests(self) -> tuple[Attribution, ...]:
        return (Attribution(self.attribution),)

    def scores(self, images: Tensor, given: Given) -> Tensor:
        return given.attributions[Attribution(self.attribution)]
