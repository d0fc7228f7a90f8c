"""What every source's labels go through: names that fit a table, no class twice, no column that tells images apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from maskbench.data.bins import HINT
from maskbench.data.paths import one_line
from maskbench.data.source import MISSING, LabelTable
from maskbench.errors import UsageError

_LONGEST = 100  # characters of a name
_FEW = 10  # classes; so many are never taken for identifiers


def label_name(name: str) -> str:
    """The name of a class or a column as tables show it: on one line, composed (NFC), and not too long."""
    shown = unicodedata.normalize("NFC", one_line(name))
    if not shown.strip():
        return "(empty)"
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def tidied(table: LabelTable, where: str) -> LabelTable:
    """Give every column and class its name for tables, and reject columns that tell single images apart.

    Classes whose names are the same letters written in two ways (composed and decomposed) become one, with a note.

    Args:
        where: the source, for messages.

    Raises:
        UsageError: two columns, or two classes of one, would be shown by the same name.
    """
    columns = _names({*table.labels, *table.rejected}, f"columns of {where}")
    labels: dict[str, np.ndarray] = {}
    classes: dict[str, list[str]] = {}
    rejected = {columns[column]: one_line(why) for column, why in table.rejected.items()}
    notes = [one_line(note) for note in table.notes]
    for column, codes in table.labels.items():
        name = columns[column]
        found, codes = _merged(table.classes[column], codes, name, notes)
        images = int(np.count_nonzero(codes != MISSING))
        if len(found) < 2:
            rejected[name] = "has one class; a label column needs two or more"
        elif len(found) > max(_FEW, images / 2):
            why = f"has {len(found)} classes for {images} images, so it tells images apart like a number"
            rejected[name] = f"{why}: {HINT.format(column=name)}" if column in table.numbers else why
        else:
            labels[name], classes[name] = codes, found
    return replace(table, labels=labels, classes=classes, rejected=rejected, notes=notes)


def without_empty_classes(table: LabelTable, columns: Sequence[str], used: np.ndarray) -> LabelTable:
    """Leave out the classes that no used image has, so that nobody is asked to infer them.

    Args:
        columns: the chosen label columns.
        used: bool N; the images that have a label in each of them.

    Raises:
        UsageError: fewer than two classes are left.
    """
    labels, classes, notes = dict(table.labels), dict(table.classes), list(table.notes)
    for column in columns:
        names = classes[column]
        present = np.unique(labels[column][used])
        if len(present) == len(names):
            continue
        if len(present) < 2:
            raise UsageError(
                f"The column '{column}' has one class ('{names[present[0]]}') among the images that are labelled in "
                f"{' and '.join(columns)}; a label column needs two or more."
            )
        empty = ", ".join(name for code, name in enumerate(names) if code not in present)
        notes.append(f"Classes of '{column}' without a labelled image were left out: {empty}.")
        new_code = np.full(len(names) + 1, MISSING)  # its last place serves MISSING, which is -1
        new_code[present] = np.arange(len(present))
        labels[column], classes[column] = new_code[labels[column]], [names[code] for code in present]
    return replace(table, labels=labels, classes=classes, notes=notes)


def _merged(names: Sequence[str], codes: np.ndarray, column: str, notes: list[str]) -> tuple[list[str], np.ndarray]:
    """The classes as they are shown, and the codes of these."""
    composed = [unicodedata.normalize("NFC", name) for name in names]
    distinct = list(dict.fromkeys(composed))
    shown = _names(distinct, f"classes of '{column}'")
    if len(distinct) == len(names):
        return list(shown.values()), codes
    twins = sorted({shown[name] for name in composed if composed.count(name) > 1})
    notes.append(
        f"Classes of '{column}' whose names differ only in how their letters are encoded (Unicode NFC and NFD) were "
        f"taken as one: {', '.join(twins)}."
    )
    new_code = np.array([*map(distinct.index, composed), MISSING])  # its last place serves MISSING, which is -1
    return list(shown.values()), new_code[codes]


def _names(names: Iterable[str], what: str) -> Mapping[str, str]:
    """Name → how it is shown."""
    shown: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in names:
        short = label_name(name)
        if short in taken:
            raise UsageError(
                f"Two {what} are shown by one name, '{short}': {_escaped(taken[short])} and {_escaped(name)}. "
                "Rename one of them."
            )
        shown[name], taken[short] = short, name
    return shown


def _escaped(name: str) -> str:
    text = ascii(name) if re.search(r"[^\x20-\x7e]", name) else repr(name)
    return text if len(text) <= 3 * _LONGEST else f"{text[:_LONGEST]}… ({len(name)} characters)"
