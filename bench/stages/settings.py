"""The settings that the stages of a suite share."""

from __future__ import annotations

from typing import Any

import pydantic

from bench.training.settings import CLASSIFICATION, RESTORATION, Training


class Settings(pydantic.BaseModel):
    """How recognizers, attackers and restorers are trained, and how many images leakage is measured on.

    Attributes:
        recognizer: a name from ``maskbench list recognizers``; teachers and inference attackers use it too.
        recognition, attack, restoration: training of recognizers and teachers, of attackers' classifiers, of restorers;
            what is not given keeps its measured default.
        scored: leakage is measured on at most this many images of each split.
        perceptual: ``BACKBONE@FILE``, a local file of torchvision's weights of alexnet, vgg16 or squeezenet1_1, for the
            metric lpips; without it that metric is not measured.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    recognizer: str = "small"
    recognition: Training = CLASSIFICATION
    attack: Training = CLASSIFICATION
    restoration: Training = RESTORATION
    scored: int = pydantic.Field(512, ge=16)
    perceptual: str | None = None

    @pydantic.field_validator("recognition", "attack", "restoration", mode="before")
    @classmethod
    def _complete(cls, given: Any, info: pydantic.ValidationInfo) -> Any:
        """Fill in what a suite file leaves out."""
        if not isinstance(given, dict):
            return given
        default = RESTORATION if info.field_name == "restoration" else CLASSIFICATION
        return {**default.model_dump(), **given}
