"""Parquet files as the `datasets` library writes them: each becomes one of the same name, with a column of masks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskbench.data.arrow_images import image_column, raw_images
from maskbench.data.paths import parquet_files
from maskbench.data.source import LabelTable
from maskbench.data.sources.parquet import ParquetFolder
from maskbench.errors import UsageError, unknown
from maskbench.releasing.output import Output, Record, stamp
from maskbench.releasing.pictures import Entry, chunks
from maskbench.releasing.releasing import Released
from maskbench.releasing.source import ImageSource, Release, png, spread

MASK = "mask"
"""The column that masks are written to."""

_ROWS = 256  # read, released and written together; a row group of the output


class ParquetImages(ImageSource):
    """One file, or the files of a folder.

    Columns that could hold pictures besides the images are left out, and so is the one named as sensitive.
    """

    def __init__(self, root: Path, limit: int | None, sensitive: str | None) -> None:
        self.root = root
        self._files = [root] if root.is_file() else parquet_files(root)
        self._base = root.parent if root.is_file() else root
        self._schemas = {path: _schema(path) for path in self._files}
        counts = [pq.read_metadata(path).num_rows for path in self._files]
        self.total = sum(counts)
        if self.total == 0:
            raise UsageError(f"The Parquet data in {root} have no rows.")
        self.chosen = spread(self.total, limit)
        starts = np.cumsum([0, *counts])
        bounds = np.searchsorted(self.chosen, starts)
        self._rows = {
            path: self.chosen[bounds[number] : bounds[number + 1]] - starts[number]
            for number, path in enumerate(self._files)
        }
        left_out = {name: why for path in self._files for name, why in self._left_out(path, sensitive).items()}
        others = (
            [] if root.is_file() else [path for path in root.rglob("*") if path.is_file() and path not in self._files]
        )
        self._dropped = set(left_out)
        self.not_used = {"files": sorted(path.relative_to(root).as_posix() for path in others), "columns": left_out}

    def entries(self) -> Iterator[Entry]:
        for path in self._files:
            for _, entries in self._batches(path, [self._image(path)]):
                yield from entries

    def labels(self) -> tuple[LabelTable | None, str]:
        source = ParquetFolder(self._base)
        source.files = self._files
        table = source.labels()
        reasons = "; ".join(f"'{column}' {why}" for column, why in table.rejected.items())
        return (table, "") if table.labels else (None, reasons)

    def check(self, masks: bool, sensitive: str | None) -> None:
        for path in self._files:
            if sensitive is not None and sensitive not in self._schemas[path].names:
                raise unknown(f"column of {path.name}", sensitive, self._schemas[path].names)
            if masks and MASK in self._schemas[path].names:
                raise UsageError(f"{path.name} has a column '{MASK}' already: rename it, or pass --no-masks.")

    def release(
        self, release: Release, output: Output, *, size: int | None, masks: bool, advance: Callable[[int], None]
    ) -> set[str]:
        present = {self._name(path) for path in self._files if len(self._rows[path])}
        for path in self._files:
            count = len(self._rows[path])
            if count and not output.done(self._name(path), stamp(path), self._name(path)):
                output.record(self._release_file(path, release, output, size, masks, advance))
            elif count:
                advance(count)
        return present

    def _release_file(
        self,
        path: Path,
        release: Release,
        output: Output,
        size: int | None,
        masks: bool,
        advance: Callable[[int], None],
    ) -> Record:
        image = self._image(path)
        kept = [field.name for field in self._schemas[path] if field.name not in self._dropped]
        features = _features(self._schemas[path], kept, image, masks)
        name, before = self._name(path), stamp(path)
        rules: Counter[str] = Counter()
        errors: list[tuple[str, str]] = []
        with output.aside(name) as aside:
            with pq.ParquetWriter(aside, features) as writer:
                for table, entries in self._batches(path, kept):
                    rows = []
                    for chunk in chunks(entries, size):
                        for one in release(chunk):
                            rows.append(_encode(one, masks))
                            rules.update(one.rules if one.error is None else ())
                            errors += [] if one.error is None else [(one.name, one.error)]
                        advance(len(chunk))
                    writer.write_table(_table(table, rows, image, features))
            length = aside.stat().st_size
        count = len(self._rows[path])
        return Record(name, before, {name: length}, count, count - len(errors), dict(rules), tuple(errors))

    def _batches(self, path: Path, columns: list[str]) -> Iterator[tuple[pa.Table, list[Entry]]]:
        """The chosen rows of a file, some at a time."""
        wanted, start = self._rows[path], 0
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_ROWS, columns=columns):
                    rows = wanted[(wanted >= start) & (wanted < start + len(batch))]
                    if len(rows):
                        table = pa.Table.from_batches([batch]).take(pa.array(rows - start))
                        yield table, self._entries(path, table, rows)
                    start += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from error

    def _entries(self, path: Path, table: pa.Table, rows: np.ndarray) -> list[Entry]:
        images = raw_images(table[self._image(path)], [(path.name, len(rows))], self._base)
        return [
            Entry(f"{self._name(path)}, row {row}", partial(images.open, place))
            for place, row in enumerate(rows.tolist())
        ]

    def _left_out(self, path: Path, sensitive: str | None) -> dict[str, str]:
        image = self._image(path)
        reasons = {
            field.name: f"holds {field.type} values, which may contain pictures"
            for field in self._schemas[path]
            if field.name != image and not _is_plain(field.type)
        }
        if sensitive in self._schemas[path].names:
            reasons[str(sensitive)] = "is named as sensitive"
        return reasons

    def _image(self, path: Path) -> str:
        return image_column(self._schemas[path], _described(self._schemas[path]), path.name)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._base).as_posix()


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is no readable Parquet file: {error}") from error


def _described(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """The `datasets` features in the metadata; empty without them."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return {name: feature for name, feature in features.items() if isinstance(feature, dict)}


def _is_plain(kind: pa.DataType) -> bool:
    """Whether a column holds numbers, times or text: not bytes, lists or structs, which may hold pictures."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return not (
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _features(schema: pa.Schema, kept: list[str], image: str, masks: bool) -> pa.Schema:
    """The schema of the output. Of the metadata it has the features of its columns, and nothing else."""
    from datasets import Features, Image, Value  # a second to import, and needed here alone

    plain = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in schema
        if field.name in kept and field.name != image
    ]
    found = Features.from_arrow_schema(pa.schema(plain, schema.metadata))
    features: dict[str, Any] = {}
    for name in kept:
        features[name] = Image() if name == image else found[name]
        if name == image and masks:
            # Bytes, not a second Image: which of the columns is the picture stays plain to every reader.
            features[MASK] = Value("binary")
    return Features(features).arrow_schema


def _encode(one: Released, masks: bool) -> tuple[bytes, bytes | None] | None:
    if one.image is None:
        return None
    return png(one.image), png(one.mask) if masks and one.mask is not None else None


def _table(table: pa.Table, rows: list[tuple[bytes, bytes | None] | None], image: str, schema: pa.Schema) -> pa.Table:
    """The released rows of a batch, with their columns."""
    released = [place for place, row in enumerate(rows) if row is not None]
    kept = table.take(pa.array(released, pa.int64()))
    found = [row for row in rows if row is not None]
    columns = []
    for field in schema:
        if field.name == image:
            paths = [_png_path(cell.as_py()) for cell in kept[image]]
            cells = [{"bytes": content, "path": path} for (content, _), path in zip(found, paths, strict=True)]
            columns.append(pa.array(cells, field.type))
        elif field.name == MASK and MASK not in table.column_names:
            columns.append(pa.array([mask for _, mask in found], field.type))
        else:
            columns.append(kept[field.name].cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _png_path(cell: Any) -> str | None:
    """The path that a cell names, as that of a PNG; of an absolute one the name alone."""
    path = cell.get("path") if isinstance(cell, dict) else None
    if not path:
        return None
    pure = PurePath(path)
    if not pure.name:
        return None
    return (PurePath(pure.name) if pure.is_absolute() else pure).with_suffix(".png").as_posix()
