"""The type of a method's parameter that names an attribution algorithm."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from maskbench.attributions.algorithm import module_of


def _known(value: str) -> str:
    module_of(value)
    return value


AttributionName = Annotated[str, AfterValidator(_known)]
"""A string that :func:`maskbench.attributions.algorithm.module_of` answers to; anything else is a UsageError."""
