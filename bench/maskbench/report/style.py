"""Colours and markers: one for each method, the same in every figure and on the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from maskbench.results.reading import methods

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#999933")
"""Okabe and Ito's palette without its yellow and black, and two of Tol's: told apart by the colour-blind."""

_MARKERS = (
    ("o", "circle"),
    ("s", "square"),
    ("D", "diamond"),
    ("^", "triangle-up"),
    ("v", "triangle-down"),
    ("P", "cross"),
    ("X", "x"),
    ("*", "star"),
    ("<", "triangle-left"),
    (">", "triangle-right"),
)
"""The same shape, as matplotlib and as plotly call it."""

_CONTROLS = {"raw": ("#6b7280", ("s", "square-open")), "null": ("#6b7280", ("D", "diamond-open"))}


@dataclass(frozen=True)
class Style:
    """How a method is drawn.

    Attributes:
        colour: as ``#rrggbb``.
        marker: its shape, as matplotlib calls it.
        symbol: the same shape, as plotly calls it.
        control: whether it is raw or the full mask, which are drawn hollow and in grey.
    """

    colour: str
    marker: str
    symbol: str
    control: bool = False


def method_styles(cells: Iterable[pd.DataFrame]) -> Mapping[str, Style]:
    """``name:parameters`` → its style; methods of several runs get theirs in the order in which they first occur.

    No two of the first forty have both colour and shape in common.
    """
    found: dict[str, Style] = {}
    number = 0
    for table in cells:
        for method, _, mine in methods(table):
            if method in found:
                continue
            role = str(mine["role"].iloc[0])
            if role in _CONTROLS:
                colour, (marker, symbol) = _CONTROLS[role]
                found[method] = Style(colour, marker, symbol, control=True)
                continue
            marker, symbol = _MARKERS[number % len(_MARKERS)]
            found[method] = Style(_COLOURS[number % len(_COLOURS)], marker, symbol)
            number += 1
    return found
