"""Where the dots of a table's figure lie: accuracy against leakage, in a picture that needs no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maskbench.results.reading import Value

WIDTH, HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 14, 44
_ROOM = 0.06  # of the range, beyond the outermost intervals
_TICKS = 6
_NEAR = (22, 14)  # across and up: a label is as large


@dataclass(frozen=True)
class Dot:
    """A method or control in the figure; lengths in its units.

    Attributes:
        label: what stands beside the dot; empty where a dot that it touches has both.
        title: what a pointer over it shows.
        left, right, top, bottom: the ends of its intervals.
    """

    label: str
    title: str
    x: float
    y: float
    left: float
    right: float
    top: float
    bottom: float
    kind: str


@dataclass(frozen=True)
class Scatter:
    """A figure: its dots, and where the numbers of its axes stand."""

    dots: tuple[Dot, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


@dataclass(frozen=True)
class Point:
    """What is drawn: accuracy and leakage, both times 100 where they are shares."""

    label: str
    title: str
    kind: str
    leakage: Value
    accuracy: Value


def scatter(points: Sequence[Point]) -> Scatter:
    """Lay out a figure, leakage to the right and accuracy upwards."""
    across = _Axis([point.leakage for point in points], _LEFT, WIDTH - _RIGHT)
    up = _Axis([point.accuracy for point in points], HEIGHT - _BOTTOM, _TOP)
    dots = tuple(
        Dot(
            point.label,
            point.title,
            across.at(point.leakage.value),
            up.at(point.accuracy.value),
            across.at(point.leakage.low),
            across.at(point.leakage.high),
            up.at(point.accuracy.high),
            up.at(point.accuracy.low),
            point.kind,
        )
        for point in points
    )
    return Scatter(_joined(dots), across.ticks(), up.ticks())


def _joined(dots: Sequence[Dot]) -> tuple[Dot, ...]:
    """The dots, of which those whose labels would cover each other have one for all."""
    groups: list[list[Dot]] = []
    for dot in dots:
        near = (group for group in groups if abs(group[0].x - dot.x) < _NEAR[0] and abs(group[0].y - dot.y) < _NEAR[1])
        found = next(near, None)
        if found is None:
            groups.append([dot])
        else:
            found.append(dot)
    return tuple(
        replace(dot, label="" if place else ", ".join(each.label for each in group))
        for group in groups
        for place, dot in enumerate(group)
    )


class _Axis:
    def __init__(self, values: Sequence[Value], start: float, end: float) -> None:
        low = min(min(value.low, value.value) for value in values)
        high = max(max(value.high, value.value) for value in values)
        room = _ROOM * (high - low or 1.0)
        self._low, self._high, self._start, self._end = low - room, high + room, start, end

    def at(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return round(self._start + share * (self._end - self._start), 1)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """At round numbers."""
        least = (self._high - self._low) / _TICKS
        power = 10 ** math.floor(math.log10(least))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
        digits = max(0, -math.floor(math.log10(step)))
        first, last = math.ceil(self._low / step), math.floor(self._high / step)
        return tuple((self.at(number * step), f"{number * step:.{digits}f}") for number in range(first, last + 1))
