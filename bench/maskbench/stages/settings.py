"""The settings that the stages of a suite share."""

from __future__ import annotations

from typing import Any

import pydantic

from maskbench.training.settings import ATTACK, CLASSIFICATION, RESTORATION, Training

_DEFAULTS = {"recognition": CLASSIFICATION, "attack": ATTACK, "restoration": RESTORATION}


class Settings(pydantic.BaseModel):
    """How recognizers, attackers and restorers are trained, and how many images leakage is measured on.

    Attributes:
        recognizer: a name from ``maskbench list recognizers``; teachers and inference attackers use it too.
        recognition, attack, restoration: training of recognizers and teachers, of attackers' classifiers, of restorers;
            what is not given keeps its measured default.
        draws: how often an attacker runs the method on each of its training pictures, for attacks that learn from
            releases or masks.
        releases: how many releases of each picture the attacker has, of the owner's and of its own, by one fit of the
            method with other random numbers each. It is part of the threat model: results differ by it, and are not
            compared.
        shadows: how many recognizers of the attacker's own stand beside the owner's, to tell which pictures weights
            that a method hands out come from; 0: that is not measured. Each is a training.
        scored: leakage is measured on at most this many images of each split.
        perceptual: ``BACKBONE@FILE``, a local file of torchvision's weights of alexnet, vgg16 or squeezenet1_1, for the
            metric lpips; without it that metric is not measured.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    recognizer: str = pydantic.Field("small", max_length=10_000)
    recognition: Training = CLASSIFICATION
    attack: Training = ATTACK
    restoration: Training = RESTORATION
    draws: int = pydantic.Field(4, ge=1, le=100)
    releases: int = pydantic.Field(1, ge=1, le=100)
    shadows: int = pydantic.Field(0, ge=0, le=100)
    scored: int = pydantic.Field(512, ge=16, le=1_000_000)
    perceptual: str | None = pydantic.Field(None, max_length=10_000)

    @pydantic.field_validator("shadows")
    @classmethod
    def _with_a_control(cls, shadows: int) -> int:
        if shadows == 1:
            raise ValueError("two shadows or more are compared, or none: one of them is the control")
        return shadows

    @pydantic.field_validator("recognition", "attack", "restoration", mode="before")
    @classmethod
    def _complete(cls, given: Any, info: pydantic.ValidationInfo) -> Any:
        """Fill in what a suite file leaves out."""
        if not isinstance(given, dict):
            return given
        return {**_DEFAULTS[str(info.field_name)].model_dump(), **given}
