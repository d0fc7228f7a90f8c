"""The columns of a Parquet file, and what Hugging Face's metadata say about them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from maskbench.errors import UsageError

Features = dict[str, dict[str, Any]]
"""Column → its feature in the JSON form of the `datasets` library."""


def read_schema(path: Path) -> pa.Schema:
    """Read the columns of a file.

    Raises:
        UsageError: it is no Parquet file, a name occurs twice, or a column of named classes holds no class numbers.
    """
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UsageError(f"{path} is no readable Parquet file: {error}") from error
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise UsageError(f"{path} has several columns named '{twice[0]}': rename all but one.")
    features = read_features(schema)
    for field in schema:
        if class_names(features.get(field.name, {})) is not None and not pa.types.is_integer(field.type):
            raise UsageError(
                f"The column '{field.name}' of {path} is described as ClassLabel and holds {field.type} values, not "
                "class numbers: store the numbers, or take the column out of the metadata 'huggingface'."
            )
    return schema


def read_features(schema: pa.Schema) -> Features:
    """Read the `datasets` features in a schema's metadata; metadata of any other shape count as none."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    if not isinstance(features, dict):
        return {}
    return {name: feature for name, feature in features.items() if isinstance(feature, dict)}


def class_names(feature: dict[str, Any]) -> list[str] | None:
    """Return the class names of a feature; None unless it is a ClassLabel with names."""
    names = feature.get("names") if feature.get("_type") == "ClassLabel" else None
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return names
    return None


def without_views(table: pa.Table) -> pa.Table:
    """Give columns of Arrow's view types their usual type: few of Arrow's functions take views."""
    return table.cast(pa.schema([field.with_type(_usual(field.type)) for field in table.schema], table.schema.metadata))


def _usual(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_usual(field.type)) for field in kind])
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _usual(kind.value_type), kind.ordered)
    return kind
