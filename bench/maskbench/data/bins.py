"""Classes made of numbers: ``age=18,40,65``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from maskbench.data.source import MISSING, LabelTable
from maskbench.errors import UsageError, unknown

HINT = "make classes of the numbers with --bins, such as --bins {column}=18,40,65"
"""What to do about a column of numbers that are no classes."""


def parse_bins(texts: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Column → the numbers at which a new class begins.

    Raises:
        UsageError: a text is not COLUMN=NUMBER,…, its numbers do not rise, or a column is named twice.
    """
    bins: dict[str, tuple[float, ...]] = {}
    for text in texts:
        column, sign, listed = text.partition("=")
        try:
            edges = tuple(float(edge) for edge in listed.split(","))
        except ValueError:
            edges = ()
        if not sign or not column or not edges or not np.isfinite(edges).all():
            raise UsageError(f"--bins {text} is not COLUMN=NUMBER,NUMBER,…, such as age=18,40,65.")
        if any(low >= high for low, high in pairwise(edges)):
            raise UsageError(f"--bins {text}: the numbers must rise from one to the next.")
        if column in bins:
            raise UsageError(f"--bins names the column '{column}' twice: give all of its numbers at once.")
        bins[column] = edges
    return bins


def binned(table: LabelTable, texts: Sequence[str]) -> LabelTable:
    """Make classes of columns of numbers: below the first edge, from each edge to under the next, from the last on.

    Raises:
        UsageError: as ``parse_bins``; there is no such column, or it holds no numbers.
    """
    labels, classes, rejected = dict(table.labels), dict(table.classes), dict(table.rejected)
    for column, edges in parse_bins(texts).items():
        if column not in table.numbers:
            if column in labels or column in rejected:
                raise UsageError(f"--bins {column}=…: the column '{column}' holds no numbers.")
            raise unknown("column of numbers", column, table.numbers)
        numbers = table.numbers[column]
        codes = np.where(np.isnan(numbers), MISSING, np.searchsorted(edges, numbers, side="right"))
        names = [
            f"under {edges[0]:g}",
            *(f"{low:g} to under {high:g}" for low, high in pairwise(edges)),
            f"{edges[-1]:g} and over",
        ]
        present = np.unique(codes[codes != MISSING])
        new_code = np.full(len(names) + 1, MISSING)  # its last place serves MISSING, which is -1
        new_code[present] = np.arange(len(present))
        labels[column], classes[column] = new_code[codes], [names[code] for code in present]
        rejected.pop(column, None)
    return replace(table, labels=labels, classes=classes, rejected=rejected)
