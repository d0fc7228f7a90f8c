"""Parquet files as the `datasets` library writes them: each becomes one of the same name, with a column of masks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskbench.data.arrow_images import image_column, raw_images
from maskbench.data.image_files import find_files
from maskbench.data.parquet_files import class_names, read_features, read_schema, without_views
from maskbench.data.paths import parquet_files, shown
from maskbench.data.source import LabelTable
from maskbench.data.sources.parquet import ParquetFolder
from maskbench.errors import UsageError, unknown
from maskbench.releasing.apply import ReleasedImage
from maskbench.releasing.image_source import Apply, ImageSource, Writing, png, spread
from maskbench.releasing.output import Output, Record, stamp
from maskbench.releasing.pictures import Entry, chunks
from maskbench.releasing.soft_labels import SOFT_LABEL

MASK = "mask"
"""The column that masks are written to."""
_ROWS = 256  # read, released and written together; a row group of the output


class ParquetImages(ImageSource):
    """One file, or the files of a folder.

    Columns that could hold pictures besides the images are left out, and so is the one named as sensitive.
    """

    names = ()
    soft_labels: ClassVar[str] = SOFT_LABEL

    def __init__(self, root: Path, limit: int | None, sensitive: str | None) -> None:
        self.root = root
        self._files = [root] if root.is_file() else parquet_files(root)
        self._base = root.parent if root.is_file() else root
        self._schemas = {path: read_schema(path) for path in self._files}
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
        self._dropped = set(left_out)
        self.not_used = {"files": self._other_files(), "columns": left_out}

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

    def check(self, masks: bool, sensitive: str | None, soft_labels: bool) -> None:
        for path in self._files:
            if sensitive is not None and sensitive not in self._schemas[path].names:
                raise unknown(f"column of {path.name}", sensitive, self._schemas[path].names)
            if masks and MASK in self._schemas[path].names:
                raise UsageError(f"{path.name} has a column '{MASK}' already: rename it, or pass --no-masks.")
            if soft_labels and SOFT_LABEL in self._schemas[path].names:
                raise UsageError(f"{path.name} has a column '{SOFT_LABEL}' already: rename it.")

    def release(self, apply: Apply, output: Output, writing: Writing, advance: Callable[[int], None]) -> set[str]:
        present = {self._name(path) for path in self._files if len(self._rows[path])}
        for path in self._files:
            count = len(self._rows[path])
            if count and not output.done(self._name(path), stamp(path), self._name(path)):
                output.record(self._release_file(path, apply, output, writing, advance))
            elif count:
                advance(count)
        return present

    def _release_file(
        self,
        path: Path,
        apply: Apply,
        output: Output,
        writing: Writing,
        advance: Callable[[int], None],
    ) -> Record:
        image = self._image(path)
        kept = [field.name for field in self._schemas[path] if field.name not in self._dropped]
        features = _features(self._schemas[path], kept, image, writing)
        name, before = self._name(path), stamp(path)
        rules: Counter[str] = Counter()
        errors: list[tuple[str, str]] = []
        hidden: list[float] = []
        unchanged: list[str] = []
        with output.aside(name) as aside:
            with pq.ParquetWriter(aside, features) as writer:
                for table, entries in self._batches(path, kept):
                    rows = []
                    for chunk in chunks(entries, writing.size):
                        for one in apply(chunk):
                            rows.append(_encode(one, writing.masks))
                            rules.update(one.rules if one.error is None else ())
                            errors += [] if one.error is None else [(one.name, one.error)]
                            hidden += [] if one.hidden is None else [one.hidden]
                            unchanged += [one.name] if one.unchanged else []
                        advance(len(chunk))
                    writer.write_table(_table(table, rows, image, features, writing.numbers is None))
            length = aside.stat().st_size
        count = len(self._rows[path])
        return Record(
            name=name,
            stamp=before,
            files={name: length},
            images=count,
            released=count - len(errors),
            hidden=tuple(hidden),
            unchanged=tuple(unchanged),
            rules=dict(rules),
            errors=tuple(errors),
        )

    def _batches(self, path: Path, columns: list[str]) -> Iterator[tuple[pa.Table, list[Entry]]]:
        """The chosen rows of a file, some at a time."""
        wanted, start = self._rows[path], 0
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_ROWS, columns=columns):
                    rows = wanted[(wanted >= start) & (wanted < start + len(batch))]
                    if len(rows):
                        table = without_views(pa.Table.from_batches([batch])).take(pa.array(rows - start))
                        yield table, self._entries(path, table, rows)
                    start += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from error

    def _entries(self, path: Path, table: pa.Table, rows: np.ndarray) -> list[Entry]:
        images = raw_images(table[self._image(path)], [(path.name, len(rows))], (self._base,))
        return [
            Entry(f"{self._name(path)}, row {row}", partial(images.open, place))
            for place, row in enumerate(rows.tolist())
        ]

    def _other_files(self) -> list[str]:
        if self.root.is_file():
            return []
        found = find_files(self.root)
        own = {self._name(path) for path in self._files}
        return [shown(path) for path in sorted([*found.images, *found.others, *found.closed]) if str(path) not in own]

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
        return image_column(self._schemas[path], read_features(self._schemas[path]), path.name)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._base).as_posix()


_PLAIN = (
    *(pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean),
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    *(pa.types.is_timestamp, pa.types.is_date, pa.types.is_time, pa.types.is_duration),
)
"""What leaves besides the images: numbers, text and times. Every other type may hold pictures."""


def _is_plain(kind: pa.DataType) -> bool:
    return any(test(_value(kind)) for test in _PLAIN)


def _value(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _released_type(kind: pa.DataType) -> pa.DataType:
    """The type that a plain column is released in: one that the `datasets` library knows."""
    kind = _value(kind)
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_decimal(kind) and not pa.types.is_decimal256(kind):
        return pa.decimal128(kind.precision, kind.scale)
    return kind


def _features(schema: pa.Schema, kept: list[str], image: str, writing: Writing) -> pa.Schema:
    """The schema of the output. Of the metadata it has the features of its columns, and nothing else."""
    from datasets import ClassLabel, Features, Image, Sequence, Value  # a second to import, and needed here alone

    # Without the metadata: of these, the names of classes are wanted alone, and they can be of any shape.
    plain = [
        field.with_type(_released_type(field.type)) for field in schema if field.name in kept and field.name != image
    ]
    found = Features.from_arrow_schema(pa.schema(plain))
    described = read_features(schema)
    for name in found:
        names = class_names(described.get(name, {}))
        if names is not None:
            found[name] = ClassLabel(names=names)
    features: dict[str, Any] = {}
    for name in kept:
        features[name] = Image() if name == image else found[name]
        if name == image and writing.masks:
            # Bytes, not a second Image: which of the columns is the picture stays plain to every reader.
            features[MASK] = Value("binary")
        if name == image and writing.soft_labels:
            features[SOFT_LABEL] = Sequence(Value("float32"))
    return Features(features).arrow_schema


class _Row(NamedTuple):
    """What is written of a released image, beside the columns of the source."""

    image: bytes
    mask: bytes | None
    soft_label: tuple[float, ...]


def _encode(one: ReleasedImage, masks: bool) -> _Row | None:
    if one.image is None:
        return None
    return _Row(png(one.image), png(one.mask) if masks and one.mask is not None else None, one.soft_label)


def _table(table: pa.Table, rows: list[_Row | None], image: str, schema: pa.Schema, named: bool) -> pa.Table:
    """The released rows of a batch, with their columns; where names leave, images keep the names of their files."""
    released = [place for place, row in enumerate(rows) if row is not None]
    kept = table.take(pa.array(released, pa.int64()))
    found = [row for row in rows if row is not None]
    columns = []
    for field in schema:
        if field.name == image:
            paths = [_png_path(cell.as_py()) if named else None for cell in kept[image]]
            cells = [{"bytes": row.image, "path": path} for row, path in zip(found, paths, strict=True)]
            columns.append(pa.array(cells, field.type))
        elif field.name == MASK and MASK not in table.column_names:
            columns.append(pa.array([row.mask for row in found], field.type))
        elif field.name == SOFT_LABEL and SOFT_LABEL not in table.column_names:
            columns.append(pa.array([row.soft_label for row in found], field.type))
        else:
            columns.append(kept[field.name].cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _png_path(cell: Any) -> str | None:
    """The name in the path of a cell, as that of a PNG. Its folders stay behind: they name people and machines."""
    path = cell.get("path") if isinstance(cell, dict) else None
    if not path:
        return None
    first = path.partition("::")[0]  # ``zip://inner.jpg::file:///outer.zip``
    if "://" in first:
        first = re.split("[?#]", first, maxsplit=1)[0]
    name = PureWindowsPath(first).name  # takes both kinds of slashes, drives, and shares
    return None if name in ("", "..") else str(PurePosixPath(name).with_suffix(".png"))
