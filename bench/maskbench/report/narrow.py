"""The table of methods in as many columns as a terminal has: nothing is cut, what matters least is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from maskbench.report.attacked import NO_LEAKAGE
from maskbench.report.hidden import method_names
from maskbench.report.summary import FINDING, value_of
from maskbench.report.text import NOT_MEASURED
from maskbench.results.reading import Value, records
from maskbench.runfolder.folder import RunFolder

_DROPPED = ("psnr", "utility", "over_null", "person-linkage", "linkage", "matching", "shape")
"""What goes when it gets narrow, in this order, after the intervals."""

_KINDS = ("restoration", "inference")

_COLUMNS = {
    "accuracy": ("accuracy\n%", 100, 1),
    "shape": ("shape\n%", 100, 1),
    "utility": ("utility\n%", 100, 0),
    "restoration": ("hole\nSSIM", 1, 2),
    "psnr": ("PSNR\ndB", 1, 1),
    "inference": ("advantage\n%", 100, 1),
    "over_null": ("over\nnull %", 100, 1),
    "matching": ("singled\nout %", 100, 1),
    "linkage": ("linked\n%", 100, 1),
    "person-linkage": ("person\nlinked %", 100, 1),
}
"""Measured → its column, by what it is multiplied, and its decimals."""

_LEAST_NAME = 24  # columns in which a method's parameters can still be read
_GAP = 2


def fitting(run: RunFolder, summary: pd.DataFrame, width: int) -> pd.DataFrame:
    """The summary as text, in the widest form that fits into so many columns.

    Names of methods are broken before a column is left out, and intervals go before any column.
    """
    form = pd.DataFrame()
    for intervals, left_out in _forms():
        form = _form(run, summary, intervals, left_out)
        for_names = width - _others(form)
        if for_names >= max(_LEAST_NAME, max(map(len, _parts(form["method"])))) or left_out == _DROPPED:
            return form.assign(method=[_broken(name, max(for_names, 1)) for name in form["method"]])
    return form


def traced(run: RunFolder, summary: pd.DataFrame, form: pd.DataFrame) -> pd.DataFrame:
    """What matching attacks find, where the table of methods had no room for it: a second, short table.

    Returns:
        A row for each method, without columns where ``form`` has all of it, or where nothing was matched.
    """
    missing = [name for name in FINDING if _has(summary, name) and _COLUMNS[name][0] not in form.columns]
    if not missing:
        return pd.DataFrame()
    columns = {_COLUMNS[name][0]: [_cell(row, name, 100, 1, False) for row in records(summary)] for name in missing}
    return pd.DataFrame({"method": form["method"], **columns})


def legend(run: RunFolder, summary: pd.DataFrame, form: pd.DataFrame, width: int) -> list[str]:
    """How to read the table, in three lines: of what stands in it, as much as there is room for."""
    shown = {title.split("\n")[0] for title in form.columns}
    accuracy = ["Accuracy on owner-test"]
    if "shape" in shown:
        accuracy.append("shape: what a classifier gets from the masks alone")
    if "utility" in shown:
        accuracy.append("utility: share of raw's gain over the prior")
    elif summary["accuracy"].notna().any() and summary["utility"].isna().all():
        accuracy.insert(1, f"utility {NOT_MEASURED}: raw images are at the prior")
    leaks = ["SSIM, advantage: of the strongest attack, higher is worse"]
    if run.inferred == "target":
        leaks = ["SSIM: of the strongest attack, higher is worse", "advantage: on the task"]
    if "over" in shown:
        leaks.append("null: all is hidden")
    if any(_has(summary, name) for name in FINDING):
        leaks.append("singled out, linked: first of all candidates")
    absent = [name for name in _KINDS if not _has(summary, name)]
    if absent:
        leaks = [f"No {' and no '.join(absent)} attack saw the released images: what leaks to it is not known"]
    marks = dict.fromkeys((flag.mark, flag.name) for flag in run.flags if flag.method)
    return [f"{_joined(accuracy, width)}.", f"{_joined(leaks, width)}.", _of_flags(list(marks), width)]


def _joined(clauses: Sequence[str], width: int) -> str:
    """As many clauses as fit into a line, the first in any case."""
    text = clauses[0]
    for clause in clauses[1:]:
        if len(f"{text}; {clause}.") <= width:
            text = f"{text}; {clause}"
    return text


def _of_flags(marks: Sequence[tuple[str, str]], width: int) -> str:
    """What stands for what; where there is no room for all the names, the marks alone."""
    if not marks:
        return "No flag is on a method. --verbose says more."
    named = f"Flags: {', '.join(f'{mark} {name}' for mark, name in marks)}. --verbose says more."
    alone = f"Flags {', '.join(mark for mark, _ in marks)}: --verbose says what each means."
    return named if len(named) <= width else alone


def _forms() -> Iterator[tuple[bool, tuple[str, ...]]]:
    yield True, ()
    for count in range(len(_DROPPED) + 1):
        yield False, _DROPPED[:count]


def _form(run: RunFolder, summary: pd.DataFrame, intervals: bool, left_out: tuple[str, ...]) -> pd.DataFrame:
    named = method_names(run.cells)
    rows = records(summary)
    inferred = run.provenance["data"][run.inferred]
    columns = {**_COLUMNS, "inference": (f"advantage\non {inferred} %", 100, 1)}
    shown: dict[str, list[str]] = {"method": [named(row["method"], row["ratio"]) for row in rows]}
    for name, (title, scale, digits) in columns.items():
        if name not in left_out and (name == "accuracy" or _has(summary, name)):
            shown[title] = [_cell(row, name, scale, digits, intervals) for row in rows]
    if summary["flags"].any():
        shown["flags"] = [row["flags"] for row in rows]
    if (summary["ok"] < summary["total"]).any():
        shown["cells"] = [f"{row['ok']}/{row['total']}" for row in rows]
    return pd.DataFrame(shown)


def _has(summary: pd.DataFrame, name: str) -> bool:
    """Whether there is anything to show; what one method was attacked by has to be seen of all."""
    if name in _KINDS:
        return bool((summary[f"{name}_status"] != "not attacked").any())
    return bool(summary[name].notna().any())


def _cell(row: Mapping[str, Any], name: str, scale: int, digits: int, intervals: bool) -> str:
    if name in _KINDS and row[f"{name}_status"] != "attacked":
        return "\n".join(NO_LEAKAGE[row[f"{name}_status"]].rsplit(maxsplit=1))
    value = value_of(row, name)
    return NOT_MEASURED if value is None else _written(value, scale, digits, intervals)


def _written(value: Value, scale: int, digits: int, intervals: bool) -> str:
    text = f"{scale * value.value:z.{digits}f}"  # z: no minus before a zero
    if intervals and not pd.isna(value.low):
        text += f" [{scale * value.low:z.{digits}f}, {scale * value.high:z.{digits}f}]"
    return text


def _others(form: pd.DataFrame) -> int:
    """Columns that all but the names take, with the gaps."""
    return sum(
        _GAP + max(len(line) for text in [str(title), *form[title]] for line in text.split("\n"))
        for title in form.columns[1:]
    )


def _parts(names: pd.Series[str]) -> list[str]:
    return [part for name in names for part in _split(name)]


def _split(name: str) -> list[str]:
    """A name in the pieces between which it may be broken."""
    return re.findall(r"[^,: ]+[,: ]?|.", name)


def _broken(name: str, width: int) -> str:
    """A name in lines of at most so many characters, broken after its parameters where that is enough."""
    lines = [""]
    for part in _split(name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)
