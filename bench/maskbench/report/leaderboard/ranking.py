"""Ranks by two things at once, accuracy and leakage, with what intervals leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskbench.results.reading import Value


@dataclass(frozen=True)
class Rank:
    """The place of a method among others that were measured alike.

    Attributes:
        rank: one more than the methods that beat it: that keep no less, leak no more, and are better in one of them.
        best, worst: the same with only those that surely beat it, and with all that may, by their 95 % intervals.
    """

    rank: int
    best: int
    worst: int


def beats(other: tuple[Value, Value], own: tuple[Value, Value]) -> bool:
    """Whether another method keeps no less and leaks no more, and is better in one of them.

    Args:
        other, own: accuracy and leakage.
    """
    kept, leaked = other[0].value - own[0].value, own[1].value - other[1].value
    return min(kept, leaked) >= 0 and max(kept, leaked) > 0


def ranks(methods: Sequence[tuple[Value, Value]]) -> list[Rank]:
    """The rank of every method.

    Args:
        methods: accuracy and leakage of each, with intervals.
    """
    found = []
    for place, own in enumerate(methods):
        others = [other for number, other in enumerate(methods) if number != place]
        found.append(
            Rank(
                1 + sum(beats(other, own) for other in others),
                1 + sum(_surely(other, own) for other in others),
                1 + sum(_maybe(other, own) for other in others),
            )
        )
    return found


def _surely(other: tuple[Value, Value], own: tuple[Value, Value]) -> bool:
    return other[0].low > own[0].high and other[1].high < own[1].low


def _maybe(other: tuple[Value, Value], own: tuple[Value, Value]) -> bool:
    return beats(other, own) or (other[0].high > own[0].low and other[1].low < own[1].high)
