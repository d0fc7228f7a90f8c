"""How values are written into the cells of a table, and a table into a file."""

from __future__ import annotations

import pandas as pd

from maskbench.results.reading import Value

NOT_MEASURED = "–"


def percent(value: Value | None) -> str:
    """``95.2 [93.0, 96.9]``, in percent."""
    if value is None:
        return NOT_MEASURED
    return decimal(Value(100 * value.value, 100 * value.low, 100 * value.high, value.attack), 1)


def decimal(value: Value | None, digits: int = 3) -> str:
    """``0.412 [0.398, 0.425] (restorer)``."""
    if value is None:
        return NOT_MEASURED
    text = f"{value.value:.{digits}f}"
    if not pd.isna(value.low):
        text += f" [{value.low:.{digits}f}, {value.high:.{digits}f}]"
    return text + (f" ({value.attack})" if value.attack else "")


def plain(value: Value | None) -> Value | None:
    """A value without the name of its attack, which stands elsewhere in the row."""
    return value and Value(value.value, value.low, value.high)


def plain_words(docstring: str) -> str:
    """Words of a docstring without the marks of code, which are for documentation."""
    return docstring.replace("``", "")


def rows_as_text(frame: pd.DataFrame) -> list[list[str]]:
    """The rows of a table as text; what is missing in it is shown as not measured."""
    values = frame.astype(object).to_numpy()
    return [[NOT_MEASURED if pd.isna(value) else str(value) for value in row] for row in values]


def to_markdown(frame: pd.DataFrame) -> str:
    """A GitHub table; numbers to the right. What a cell says is text, no markup."""
    header = [str(name) for name in frame.columns]
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows_as_text(frame)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
