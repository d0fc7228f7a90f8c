"""The parts, in order of their worth, and what each may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        name: of its module in ``gpu_check.parts``.
        title: of its section.
        seconds: at most, on a GPU; the last part takes what is left.
    """

    name: str
    title: str
    seconds: float


PARTS = (
    Part("facts", "The machine, and what it can do at most", 40),
    Part("agreement", "Do CPU and GPU agree?", 60),
    Part("training", "Training against a bare graphed loop", 100),
    Part("tests", "The tests marked cuda", 100),
    Part("answers", "Prediction, attribution and restoration against graphed passes", 50),
    Part("quick", "The suite quick", 80),
    Part("standard", "The suite standard on CIFAR", 520),
)
"""Together more than there is: a part that ends early leaves its time to those behind it."""

LEAST = 8.0
"""Seconds that must be left for a part to be started."""

RESERVE = 5.0
"""Seconds kept for the report."""
