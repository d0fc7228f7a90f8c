"""A folder of Parquet files as the `datasets` library writes them: encoded images, typed label columns."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskbench.data.arrow_images import image_column, raw_images
from maskbench.data.hashing import hash_files
from maskbench.data.label_columns import is_candidate, label_table
from maskbench.data.paths import existing_folder, parquet_files
from maskbench.data.source import LabelTable, RawImages, Source, native_test_split, split_word
from maskbench.errors import UsageError

BUILT_IN: dict[str, str] = {}


def open_source(text: str) -> Source | None:
    """Open a folder that has Parquet files in it, or in its subfolder ``data``."""
    root = existing_folder(text)
    return ParquetFolder(root) if root is not None and parquet_files(root) else None


class ParquetFolder(Source):
    """One or more files; their names start with train, test or validation, or none of them does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = root.name
        self.canonical = str(root)
        self.files = parquet_files(root)

    @cached_property
    def _words(self) -> list[str | None]:
        words = [split_word(path.stem) for path in self.files]
        if any(words) and not all(words):
            odd = self.files[words.index(None)].name
            raise UsageError(
                f"{self.root} has files of named splits, and '{odd}', which belongs to none: rename it to "
                "start with train, test or validation, or take it out of the folder."
            )
        return words

    @cached_property
    def _schema(self) -> pa.Schema:
        schemas = [_schema(path) for path in self.files]
        for path, schema in zip(self.files, schemas, strict=True):
            if not schema.equals(schemas[0]) or _features(schema) != _features(schemas[0]):
                raise UsageError(
                    f"{path.name} and {self.files[0].name} in {self.root} differ in their columns: "
                    f"{', '.join(schema.names)} and {', '.join(schemas[0].names)} (or the types of these)."
                )
        return schemas[0]

    def labels(self) -> LabelTable:
        """Read the columns that can hold labels, and those alone."""
        features = _features(self._schema)
        image = image_column(self._schema, features, str(self.root))
        columns = [field.name for field in self._schema if field.name != image and is_candidate(field.type)]
        tables = [pq.read_table(path, columns=columns, partitioning=None) for path in self.files]
        if sum(len(table) for table in tables) == 0:
            raise UsageError(f"The Parquet files in {self.root} have no rows.")
        test = native_test_split(self._words)
        from_test = [np.full(len(table), word == test) for table, word in zip(tables, self._words, strict=True)]
        found = label_table(pa.concat_tables(tables), features, None if test is None else np.concatenate(from_test))
        others = {field.name: str(field.type) for field in self._schema if field.name not in (*columns, image)}
        found.rejected.update({name: f"holds {kind} values" for name, kind in others.items()})
        found.rejected[image] = "holds the images"
        found.notes.append("A mirrored image is taken to keep its labels.")
        return found

    def images(self) -> RawImages:
        """Read the encoded images of all files into memory."""
        column = image_column(self._schema, _features(self._schema), str(self.root))
        tables = [pq.read_table(path, columns=[column], partitioning=None) for path in self.files]
        names = [(path.name, len(table)) for path, table in zip(self.files, tables, strict=True)]
        return raw_images(pa.concat_tables(tables)[column], names, self.root)

    def fingerprint(self) -> str:
        """Hash the files."""
        return hash_files(self.root, self.files)


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is no readable Parquet file: {error}") from error


def _features(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """Return the `datasets` features that the schema's metadata describes; empty without them."""
    stored = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(stored)["info"]["features"] if stored else {}
    return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
