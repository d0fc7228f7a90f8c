"""Methods that were run at several strengths: which rows of a run are one method's curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskbench.errors import UsageError
from maskbench.plugins.names import parse

LEAST = 3
"""Strengths of a curve; through two, any line is monotone."""


@dataclass(frozen=True)
class Curve:
    """One method at several strengths.

    Attributes:
        method: what all of its rows share, ``name:parameters``.
        strength: the parameter by which they differ.
        rows: their places among the methods of the run.
        values: of the parameter, as long as ``rows``; NaN for its default.
    """

    method: str
    strength: str
    rows: tuple[int, ...]
    values: tuple[float, ...]


def curves(rows: Sequence[dict[str, Any]], places: Sequence[int]) -> list[Curve]:
    """The curves among the methods of a run, in the order of their first rows.

    Args:
        rows: of the summary.
        places: of those that may be part of a curve.
    """
    found: dict[tuple[str, str], dict[int, float]] = {}
    for place in places:
        for method, strength, value in _members(str(rows[place]["method"]), float(rows[place]["ratio"]), rows):
            found.setdefault((method, strength), {})[place] = value
    return [
        Curve(method, strength, tuple(members), tuple(members.values()))
        for (method, strength), members in found.items()
        if len(members) >= LEAST
    ]


def _members(method: str, ratio: float, rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str, float]]:
    """The curves that a method may be part of: what they share, by what they differ, and its own value of that."""
    if np.isfinite(ratio):
        yield method, "ratio", ratio
        return
    parsed = {str(row["method"]): _parsed(str(row["method"])) for row in rows}
    own = parsed[method]
    if own is None:
        return
    name, parameters = own
    alike = [other for other in parsed.values() if other is not None]
    varied = {key for other, given in alike if other == name for key in given if _is_number(given[key])}
    for key in sorted(varied):
        rest = ",".join(f"{each}={value}" for each, value in sorted(parameters.items()) if each != key)
        value = parameters.get(key, float("nan"))
        if _is_number(value):
            yield f"{name}:{rest}" if rest else name, key, float(value)


def _parsed(method: str) -> tuple[str, dict[str, Any]] | None:
    """Name and parameters; None of a method that nobody could have typed: it is from somebody else's folder."""
    try:
        return parse(method)
    except UsageError:
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
