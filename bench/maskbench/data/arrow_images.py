"""Encoded images in an Arrow column, as the `datasets` library stores them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from maskbench.data.parquet_files import Features
from maskbench.data.pixels import UnreadableImage, open_image
from maskbench.data.source import RawImages, unreadable
from maskbench.errors import UsageError

_TESTS = {
    "bytes": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view),
    "path": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
}
"""Part of an image's cell → what tells its types."""


def image_column(schema: pa.Schema, features: Features, where: str) -> str:
    """Return the column that holds the images: the Image feature, else the only one of bytes.

    Raises:
        UsageError: there is none, or there are several.
    """
    described = [field for field in schema if features.get(field.name, {}).get("_type") == "Image"]
    marked = [field.name for field in described if _part(field.type, "bytes") or _part(field.type, "path")]
    found = marked or [field.name for field in schema if _part(field.type, "bytes")]
    if len(found) != 1:
        what = f"several image columns ({', '.join(found)})" if found else "no image column"
        raise UsageError(
            f"{where} has {what}; it needs exactly one, of encoded bytes (PNG, JPEG, …) or of the struct "
            f"{{bytes, path}}. Columns: {', '.join(schema.names)}."
        )
    return found[0]


def raw_images(column: pa.ChunkedArray, row_names: list[tuple[str, int]], roots: Sequence[Path]) -> RawImages:
    """Give access to the images of `column`, in its order.

    Args:
        column: encoded bytes, or the struct {bytes, path}; a row without bytes is read from its path.
        row_names: name of each part of the column, and its number of rows, for messages.
        roots: the folders whose files cells may name; relative paths start from the first.
    """
    chunks = [_fields(chunk) for chunk in column.chunks]
    starts = np.cumsum([0, *[len(chunk) for chunk in column.chunks]])
    part_starts = np.cumsum([0, *[count for _, count in row_names]])

    def cell(row: int) -> tuple[pa.Scalar | None, str | None]:
        chunk = int(np.searchsorted(starts, row, side="right")) - 1
        data, paths = chunks[chunk]
        place = row - int(starts[chunk])
        content = data[place] if data is not None and data[place].is_valid else None
        return content, paths[place].as_py() if paths is not None else None

    def where(row: int) -> str:
        part = int(np.searchsorted(part_starts, row, side="right")) - 1
        path = cell(row)[1]
        return f"{row_names[part][0]}, row {row - int(part_starts[part])}" + (f" ({path})" if path else "")

    def content(row: int) -> bytes | memoryview:
        data, path = cell(row)
        return memoryview(data.as_buffer()) if data is not None else _named_file(path, roots)

    def raw(row: int) -> bytes | memoryview:
        try:
            return content(row)
        except UnreadableImage as error:
            raise unreadable(f"the image {where(row)}", str(error)) from None

    return RawImages(raw=raw, open=lambda row: open_image(io.BytesIO(content(row))), where=where)


def _named_file(path: str | None, roots: Sequence[Path]) -> bytes:
    """Read the file that a cell without bytes names: only a regular one of the data, since cells come from anywhere."""
    if not path:
        raise UnreadableImage("it has no bytes and names no file")
    try:
        file = (roots[0] / path).resolve()
        if not any(file.is_relative_to(root.resolve()) for root in roots):
            raise UnreadableImage("it has no bytes, and the file that its path names is not in the data folder")
        if not file.is_file():
            raise UnreadableImage("it has no bytes, and its path names no file")
        return file.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # not to be read, no path at all, a loop of links
        raise UnreadableImage("it has no bytes, and the file that its path names cannot be read") from error


def _part(kind: pa.DataType, name: str) -> bool:
    """Whether a column of this type has the part ``bytes`` or ``path``; encoded bytes alone are the former."""
    if pa.types.is_struct(kind):
        index = kind.get_field_index(name)
        return index >= 0 and any(test(kind.field(index).type) for test in _TESTS[name])
    return name == "bytes" and any(test(kind) for test in _TESTS[name])


def _fields(chunk: pa.Array) -> tuple[pa.Array | None, pa.Array | None]:
    if not pa.types.is_struct(chunk.type):
        return chunk, None
    data, paths = (chunk.field(name) if _part(chunk.type, name) else None for name in _TESTS)
    return data, paths
