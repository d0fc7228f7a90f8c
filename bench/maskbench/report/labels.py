"""Names beside marks in a figure, instead of a legend: each where it covers no mark and no other name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox
from scipy.optimize import isotonic_regression

_REACHES = (9, 15, 24, 36, 52, 72, 96, 124, 160, 200)
"""Points from a mark to its name, the nearest first."""

_DIRECTIONS = (30, 150, 330, 210, 60, 120, 300, 240, 0, 180, 90, 270)
"""Degrees; between the bars of an interval first."""

_COINCIDE = 6
"""Points; marks that lie nearer share one name."""

_MARK = 6  # points from the middle of a mark to its edge
_FAR = 15  # from there on, a line leads from the name to its mark
_MOST = 3  # names that a joined label holds


@dataclass
class Mark:
    """A mark and its name.

    Attributes:
        x, y: in data coordinates.
        bars: the ends of its interval along x and along y, in data coordinates.
    """

    x: float
    y: float
    name: str
    bars: tuple[tuple[float, float], tuple[float, float]]


def place_labels(axes: Axes, marks: Sequence[Mark], size: float = 8.5) -> None:
    """Write the names of marks beside them. The limits of the axes and the size of the figure have to be final."""
    figure = axes.figure
    canvas = FigureCanvasAgg(figure)  # type: ignore[arg-type]
    canvas.draw()
    renderer = canvas.get_renderer()
    field = axes.get_window_extent(renderer)
    unit = figure.dpi / 72  # pixels in a point
    at = axes.transData.transform
    groups = _joined([(*at((mark.x, mark.y)), mark.name) for mark in marks], _COINCIDE * unit)
    taken = [_box(x, y, _MARK * unit, _MARK * unit) for x, y, _ in groups]
    bars = [box for mark in marks for box in _bars(axes, mark, unit)]
    for x, y, name in groups:
        text = axes.text(0, 0, name, fontsize=size, ha="center", va="center", linespacing=1.05, zorder=5)
        extent = text.get_window_extent(renderer)
        half_width, half_height = extent.width / 2 + 2 * unit, extent.height / 2
        best = _place(x, y, half_width, half_height, field, taken, bars, unit)
        taken.append(_box(x + best.dx, y + best.dy, half_width, half_height))
        left, low = axes.transData.inverted().transform((x + best.dx, y + best.dy))
        text.set_position((float(left), float(low)))
        if best.reach > _FAR:
            # To the middle of the name, below which it ends.
            end = axes.transData.inverted().transform(_edge(best.dx, best.dy, half_width, half_height, x, y))
            start = axes.transData.inverted().transform((x, y))
            axes.plot(*zip(start, end, strict=True), color="0.5", linewidth=0.6, zorder=2.5, scalex=False, scaley=False)


@dataclass
class _Place:
    dx: float
    dy: float
    reach: float
    cost: float


def _place(
    x: float,
    y: float,
    half_width: float,
    half_height: float,
    field: Bbox,
    taken: Sequence[Bbox],
    bars: Sequence[Bbox],
    unit: float,
) -> _Place:
    """Where a name goes: near its mark, inside the axes, on nothing else; on the least where there is no room."""
    best: _Place | None = None
    for reach in _REACHES:
        for direction in _DIRECTIONS:
            angle = math.radians(direction)
            dx = math.cos(angle) * (reach * unit + half_width)
            dy = math.sin(angle) * (reach * unit + half_height)
            box = _box(x + dx, y + dy, half_width, half_height)
            outside = box.x0 < field.x0 or box.x1 > field.x1 or box.y0 < field.y0 or box.y1 > field.y1
            covered = _overlap(box, taken)
            cost = reach + 10_000 * outside + 100 * covered / unit**2 + 1.5 * _overlap(box, bars) / unit**2
            if best is None or cost < best.cost:
                best = _Place(dx, dy, reach, cost)
        if best is not None and best.cost <= 2 * reach:
            break
    if best is None:
        raise ValueError("there are no places to choose from")
    return best


def _joined(marks: Iterable[tuple[float, float, str]], within: float) -> list[tuple[float, float, str]]:
    """Marks that coincide as one, with all of their names."""
    groups: list[tuple[float, float, list[str]]] = []
    for x, y, name in marks:
        near = next((group for group in groups if math.hypot(group[0] - x, group[1] - y) < within), None)
        if near is None:
            groups.append((x, y, [name]))
        else:
            near[2].append(name)
    return [(x, y, _names(names)) for x, y, names in groups]


def _names(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return ",\n".join(names[:_MOST]) + (f"\nand {more} more" if more > 0 else "")


def _bars(axes: Axes, mark: Mark, unit: float) -> list[Bbox]:
    (left, right), (low, high) = mark.bars
    x0, y0 = axes.transData.transform((left, low))
    x1, y1 = axes.transData.transform((right, high))
    x, y = axes.transData.transform((mark.x, mark.y))
    return [Bbox.from_extents(x0, y - unit, x1, y + unit), Bbox.from_extents(x - unit, y0, x + unit, y1)]


def _box(x: float, y: float, half_width: float, half_height: float) -> Bbox:
    return Bbox.from_extents(x - half_width, y - half_height, x + half_width, y + half_height)


def _overlap(box: Bbox, others: Iterable[Bbox]) -> float:
    """The area that a box shares with others."""
    return sum(
        max(0.0, min(box.x1, other.x1) - max(box.x0, other.x0))
        * max(0.0, min(box.y1, other.y1) - max(box.y0, other.y0))
        for other in others
    )


def _edge(dx: float, dy: float, half_width: float, half_height: float, x: float, y: float) -> tuple[float, float]:
    """Where the line from a mark to the middle of its name meets the name's box."""
    shares = [half / abs(way) for half, way in ((half_width, dx), (half_height, dy)) if way]
    share = 1 - min(shares)
    return x + dx * share, y + dy * share


def spread(heights: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Heights moved as little as possible until no two are nearer than ``gap``; within ``low`` and ``high`` where
    there is room."""
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(order))
    apart = isotonic_regression(np.asarray(heights, dtype=float)[order] - steps).x + steps
    apart = np.maximum(np.minimum(apart, high - gap * np.arange(len(order))[::-1]), low + steps)
    found = np.empty(len(order))
    found[order] = apart
    return [float(height) for height in found]
