"""A table as the page shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from maskbench.report.text import NOT_MEASURED, rows_as_text

_VALUE = re.compile(r"(-?[\d.,]+(?:e-?\d+)?\s?%?)(?: (\[[^\]]*\]))?(?: \((.*)\))?", re.DOTALL)
"""``0.412 [0.398, 0.425] (restorer)``, as ``maskbench.report.text`` writes it."""


_COUNT = re.compile(r"\d+/\d+")
"""``8/11``, of cells."""


class Cell(NamedTuple):
    """What stands in a cell: text, or a value with its interval and the attack it belongs to."""

    text: str
    interval: str = ""
    attack: str = ""


@dataclass(frozen=True)
class ShownTable:
    """A table with its caption.

    Attributes:
        name: of its anchor and of the files that a reader may download.
        caption: what the columns mean; it stands above the table.
        headers, rows: of equal length.
        numeric: for each column, whether it is one of numbers.
    """

    name: str
    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: tuple[bool, ...]

    @classmethod
    def of(cls, name: str, caption: str, frame: pd.DataFrame) -> ShownTable:
        """A frame of text, in which what was not measured is a dash; without columns that nothing was measured for."""
        blank = [column for column in frame.columns if len(frame) and frame[column].isin((NOT_MEASURED, "")).all()]
        frame = frame.drop(columns=blank)
        rows = [tuple(map(_cell, row)) for row in rows_as_text(frame)]
        columns = range(len(frame.columns))
        # One with an interval, or mostly numbers, is a column of numbers: words in it say why there is none.
        numeric = tuple(
            any(row[column].interval for row in rows)
            or 2 * sum(_is_number(row[column].text) for row in rows) > len(rows)
            for column in columns
        )
        return cls(name, caption, tuple(map(str, frame.columns)), tuple(rows), numeric)

    def __bool__(self) -> bool:
        return bool(self.rows)


def _cell(text: str) -> Cell:
    found = _VALUE.fullmatch(text)
    return Cell(text) if found is None else Cell(found[1], found[2] or "", found[3] or "")


def _is_number(text: str) -> bool:
    return (
        text in (NOT_MEASURED, "") or _VALUE.fullmatch(text) is not None or re.fullmatch(r"\d+/\d+", text) is not None
    )
