"""Files with the labels of the pictures in a folder: a CSV file, or Hugging Face's ``metadata.csv`` and ``.jsonl``."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from maskbench.data.bins import HINT
from maskbench.data.file_names import some
from maskbench.data.label_columns import label_table
from maskbench.data.paths import shown
from maskbench.data.source import LabelTable
from maskbench.errors import UsageError

FILE_NAME = "file_name"
"""The column of Hugging Face's metadata that names the picture."""

METADATA = ("metadata.csv", "metadata.jsonl")

_NAMES = (FILE_NAME, "filename", "file", "image", "path", "name")
"""What a column of file names is called; where none is, the first column is taken."""

_MOST_NUMBERS = 20  # distinct numbers of a column that are taken for classes
_BLOCK = 1 << 26  # bytes of a line of JSON, at most


@dataclass(frozen=True)
class LabelFile:
    """A table of labels.

    Attributes:
        place: of the file, as messages show it.
        names: the pictures, as the file names them; each once.
        columns: the other columns, a row a picture.
        content: sha256 (hex) of the file.
    """

    place: str
    names: tuple[PurePosixPath, ...]
    columns: pa.Table
    content: str

    def table(self, rows: list[int]) -> LabelTable:
        """The label columns of some rows: text and truth values, and numbers of which there are few.

        Many numbers are measurements, not classes: they are refused, with what to do.
        """
        chosen = self.columns.take(pa.array(rows, pa.int64()))
        found = label_table(chosen, {}, None)
        for column, numbers in found.numbers.items():
            values = np.unique(numbers[~np.isnan(numbers)])
            whole = bool((values == np.round(values)).all())
            if len(values) > _MOST_NUMBERS or not whole:
                found.labels.pop(column, None)
                found.classes.pop(column, None)
                found.rejected[column] = f"holds {len(values)} different numbers: {HINT.format(column=column)}"
        return found


def read_labels(path: Path) -> LabelFile:
    """Read a CSV file (comma, semicolon or tab), or lines of JSON where its name ends in ``.jsonl``.

    Raises:
        UsageError: it cannot be read, names no pictures, or names one twice.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"The labels {shown(path)} cannot be read: {error.strerror}.") from None
    place = shown(path)
    table = _json_lines(content, place) if path.suffix == ".jsonl" else _csv(content, place)
    column = next((name for name in _NAMES if name in table.column_names), table.column_names[0])
    names = [_name(value) for value in table[column].to_pylist()]
    if not names or None in names:
        row = names.index(None) + 1 if names else 1
        raise UsageError(
            f"{place}: row {row} of its column '{column}' names no picture. Fill it in, or delete the row."
        )
    twice = [str(name) for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(f"{place} names {len(twice)} pictures twice ({some(twice)}): keep one row for each.")
    return LabelFile(
        place,
        tuple(PurePosixPath(str(name)) for name in names),
        table.drop_columns([column]),
        hashlib.sha256(content).hexdigest(),
    )


def names_pictures(path: Path) -> bool:
    """Whether a metadata file has Hugging Face's column of file names: others may be called so, too."""
    try:
        with path.open("rb") as file:
            first = file.readline(_BLOCK).decode("utf-8-sig")
        if path.suffix == ".jsonl":
            found = json.loads(first)
            return isinstance(found, dict) and FILE_NAME in found
        return FILE_NAME in next(csv.reader([first]), [])
    except (OSError, ValueError, csv.Error):
        return False


def _name(value: object) -> str | None:
    text = "" if value is None else str(value).strip().replace("\\", "/").removeprefix("./")
    return text or None


def _csv(content: bytes, place: str) -> pa.Table:
    try:
        head = content[: 1 << 16].decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        if error.start < (1 << 16) - 4:
            raise UsageError(f"{place} is not UTF-8 text: save it as CSV in UTF-8.") from None
        head = content[: error.start].decode("utf-8-sig").splitlines()
    if not head:
        raise UsageError(f"{place} is empty: it needs a line of column names, then a line for each picture.")
    delimiter = max(",;\t", key=head[0].count)
    header = next(csv.reader([head[0]], delimiter=delimiter))
    if len(header) < 2:
        raise UsageError(
            f"{place} has one column ('{header[0]}'): it needs the file name and a label, separated by commas."
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise UsageError(f"{place} has several columns named '{twice[0]}': rename all but one.")
    column = next((name for name in _NAMES if name in header), header[0])
    try:
        return pa_csv.read_csv(
            pa.BufferReader(content),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={column: pa.string()}, null_values=["", "nan", "NaN"], strings_can_be_null=True
            ),
        )
    except (pa.ArrowException, ValueError) as error:
        raise UsageError(
            f"{place} is no readable CSV file: {error}. Every line needs as many values as the first."
        ) from None


def _json_lines(content: bytes, place: str) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{place}, line {number}, is no JSON: {error}.") from None
        if not isinstance(row, dict):
            raise UsageError(f'{place}, line {number}, is no JSON object such as {{"file_name": "a.png", …}}.')
        rows.append({str(name): value for name, value in row.items() if not isinstance(value, dict | list)})
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if not columns:
        raise UsageError(f"{place} is empty: it needs a JSON object for each picture, with its file_name.")
    try:
        return pa.table({name: pa.array([row.get(name) for row in rows]) for name in columns})
    except pa.ArrowException as error:
        raise UsageError(f"{place} has values of several types in one column: {error}") from None
