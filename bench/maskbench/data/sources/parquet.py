"""A folder of Parquet files as the `datasets` library writes them: encoded images, typed label columns."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskbench.data.arrow_images import image_column, raw_images
from maskbench.data.hashing import hash_files
from maskbench.data.label_columns import is_candidate, is_number, label_table
from maskbench.data.own_output import refuse_results
from maskbench.data.parquet_files import read_features, read_schema, without_views
from maskbench.data.paths import existing_folder, parquet_files, shown
from maskbench.data.source import LabelTable, RawImages, Source, native_test_split, split_word
from maskbench.errors import UsageError


class ParquetFolder(Source):
    """One or more files; their names start with train, test or validation, or none of them does."""

    name = "parquet"
    description = "FOLDER: Parquet files as Hugging Face writes them, in it or in its folder data"
    by_name = False

    @classmethod
    def opened(cls, text: str) -> ParquetFolder | None:
        """Open a folder that has Parquet files in it, or in its subfolder ``data``."""
        root = existing_folder(text)
        return cls(root) if root is not None and parquet_files(root) else None

    def __init__(self, root: Path) -> None:
        refuse_results(root)
        self.root = self.folder = root
        self.title = shown(root.name)
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
        schemas = [read_schema(path) for path in self.files]
        for path, schema in zip(self.files, schemas, strict=True):
            if not schema.equals(schemas[0]) or read_features(schema) != read_features(schemas[0]):
                raise UsageError(
                    f"{path.name} and {self.files[0].name} in {self.root} differ in their columns: "
                    f"{', '.join(schema.names)} and {', '.join(schemas[0].names)} (or the types of these)."
                )
        return schemas[0]

    def labels(self) -> LabelTable:
        """Read the columns that can hold labels, and those alone."""
        features = read_features(self._schema)
        image = image_column(self._schema, features, str(self.root))
        columns = [
            field.name
            for field in self._schema
            if field.name != image and (is_candidate(field.type) or is_number(field.type))
        ]
        tables = [_read(path, columns) for path in self.files]
        if sum(len(table) for table in tables) == 0:
            raise UsageError(f"The Parquet files in {self.root} have no rows.")
        test = native_test_split(word for word in self._words if word is not None)
        from_test = [np.full(len(table), word == test) for table, word in zip(tables, self._words, strict=True)]
        found = label_table(pa.concat_tables(tables), features, None if test is None else np.concatenate(from_test))
        others = {field.name: str(field.type) for field in self._schema if field.name not in (*columns, image)}
        found.rejected.update({name: f"holds {kind} values" for name, kind in others.items()})
        found.rejected[image] = "holds the images"
        found.notes.append("A mirrored image is taken to keep its labels.")
        return found

    def images(self) -> RawImages:
        """Read the encoded images of all files into memory."""
        column = image_column(self._schema, read_features(self._schema), str(self.root))
        tables = [_read(path, [column]) for path in self.files]
        names = [(path.name, len(table)) for path, table in zip(self.files, tables, strict=True)]
        return raw_images(pa.concat_tables(tables)[column], names, (self.root,))

    def fingerprint(self) -> str:
        """Hash the files."""
        return hash_files(self.root, self.files)


def _read(path: Path, columns: list[str]) -> pa.Table:
    try:
        return without_views(pq.read_table(path, columns=columns, partitioning=None))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
