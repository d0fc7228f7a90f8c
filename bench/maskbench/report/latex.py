"""A table as LaTeX, with the rules of booktabs."""

from __future__ import annotations

import re

import pandas as pd

from maskbench.report.text import NOT_MEASURED, rows_as_text

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "ε": r"$\varepsilon$",
    "−": "$-$",
    "…": r"\dots{}",
    "·": r"$\cdot$",
    "→": r"$\to$",
}
_NUMBER = re.compile(r"-?\d")


def to_latex(frame: pd.DataFrame, caption: str, label: str) -> str:
    """A ``table`` environment that needs ``\\usepackage{booktabs}``; columns of numbers are set to the right.

    Args:
        label: of the table, after ``tab:``.
    """
    rows = rows_as_text(frame)
    numeric = [
        all(row[column] == NOT_MEASURED or _NUMBER.match(row[column]) for row in rows)
        for column in range(len(frame.columns))
    ]
    lines = [
        "% \\usepackage{booktabs}",
        "\\begin{table}",
        f"\\caption{{{escaped(caption)}}}",
        f"\\label{{tab:{label}}}",
        f"\\begin{{tabular}}{{{''.join('r' if right else 'l' for right in numeric)}}}",
        "\\toprule",
        _line([str(name) for name in frame.columns]),
        "\\midrule",
        *map(_line, rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _line(cells: list[str]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"
