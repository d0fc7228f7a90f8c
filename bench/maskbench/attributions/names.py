"""The type of a method's parameter that names an attribution algorithm."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from maskbench.attributions.algorithm import find, module_of


def _known(value: str) -> str:
    if "(" in value:
        find(value)  # which checks the parameters
    else:
        module_of(value)  # which imports nothing
    return value


AttributionName = Annotated[str, AfterValidator(_known)]
"""``NAME`` or ``NAME(parameter=value,…)`` of an algorithm from ``maskbench list attributions``; anything else is a
UsageError."""
