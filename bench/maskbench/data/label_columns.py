"""From the columns of Arrow tables to label codes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskbench.data.parquet_files import Features, class_names
from maskbench.data.source import MISSING, LabelTable
from maskbench.errors import UsageError

_MOST_CLASSES = 1000  # a column with more distinct values is an identifier or a measurement


def is_candidate(column_type: pa.DataType) -> bool:
    """Tell whether a column of this type can hold labels: integers, booleans, or text."""
    kind = column_type.value_type if pa.types.is_dictionary(column_type) else column_type
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def label_table(table: pa.Table, features: Features, native_test: np.ndarray | None) -> LabelTable:
    """Encode every candidate column of `table`: named classes (ClassLabel) first, then the others.

    A named class keeps the order of the names, other values are sorted. Classes without an image are left
    out, because no split could contain them.

    Raises:
        UsageError: a ClassLabel column has a value that none of its names belongs to, or that is no number.
    """
    labels: dict[str, np.ndarray] = {}
    classes: dict[str, list[str]] = {}
    rejected: dict[str, str] = {}
    notes: list[str] = []
    numbers = {
        column: _numbers(table[column])
        for column in table.column_names
        if class_names(features.get(column, {})) is None and is_number(table[column].type)
    }
    for column in sorted(table.column_names, key=lambda name: class_names(features.get(name, {})) is None):
        values = table[column]
        if not is_candidate(values.type):
            rejected[column] = f"holds {values.type} values, not integers, booleans, or text"
            continue
        names = class_names(features.get(column, {}))
        codes, found = _by_name(column, values, names) if names else _by_value(values)
        if names and len(found) < len(names):
            empty = ", ".join(name for name in names if name not in found)
            notes.append(f"Classes of '{column}' without an image were left out: {empty}.")
        if not 2 <= len(found) <= _MOST_CLASSES:
            rejected[column] = f"has {len(found)} classes; a label column has 2 to {_MOST_CLASSES}"
            continue
        labels[column], classes[column] = codes, found
    return LabelTable(labels, classes, native_test, rejected, notes, numbers)


def is_number(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds numbers, of which classes can be made."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _numbers(values: pa.ChunkedArray) -> np.ndarray:
    """Float64 (N,), NaN where a number is missing."""
    return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _by_name(column: str, values: pa.ChunkedArray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    if not pa.types.is_integer(values.type):
        raise UsageError(
            f"The column '{column}' is described as ClassLabel and holds {values.type}, not class numbers."
        )
    stored = pc.fill_null(values.cast(pa.int64()), MISSING).to_numpy()
    if stored.max(initial=MISSING) >= len(names) or stored.min(initial=0) < MISSING:
        raise UsageError(f"The column '{column}' has values outside its {len(names)} named classes.")
    present = np.unique(stored[stored != MISSING])
    new_code = np.full(len(names) + 1, MISSING)  # its last place serves MISSING, which is -1
    new_code[present] = np.arange(len(present))
    return new_code[stored], [names[code] for code in present]


def _by_value(values: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    present = pc.unique(values).drop_null()
    present = present.take(pc.array_sort_indices(_sortable(present)))
    codes = pc.fill_null(pc.index_in(values, value_set=present), MISSING).to_numpy()
    return codes.astype(np.int64), [str(value) for value in present.to_pylist()]


def _sortable(values: pa.Array) -> pa.Array:
    return values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values
