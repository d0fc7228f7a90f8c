"""Encoded images in an Arrow column, as the `datasets` library stores them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from maskbench.data.source import RawImages
from maskbench.errors import UsageError


def image_column(schema: pa.Schema, features: dict[str, dict[str, Any]], where: str) -> str:
    """Return the column that holds the images: the Image feature, else the only one of bytes.

    Raises:
        UsageError: there is none, or there are several.
    """
    marked = [name for name in schema.names if features.get(name, {}).get("_type") == "Image"]
    found = marked or [field.name for field in schema if _holds_bytes(field.type)]
    if len(found) != 1:
        what = f"several image columns ({', '.join(found)})" if found else "no image column"
        raise UsageError(
            f"{where} has {what}; it needs exactly one, of encoded bytes (PNG, JPEG, …) or of the struct "
            f"{{bytes, path}}. Columns: {', '.join(schema.names)}."
        )
    return found[0]


def raw_images(column: pa.ChunkedArray, row_names: list[tuple[str, int]], root: Path) -> RawImages:
    """Give access to the images of `column`, in its order.

    Args:
        column: encoded bytes, or the struct {bytes, path}; a row without bytes is read from its path.
        row_names: name of each part of the column, and its number of rows, for messages.
        root: folder that relative paths start from.
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

    def raw(row: int) -> bytes | memoryview:
        content, path = cell(row)
        if content is not None:
            return memoryview(content.as_buffer())
        try:
            return (root / (path or "")).read_bytes()
        except OSError as error:
            raise UsageError(f"The image {where(row)} has no bytes, and its file cannot be read: {error}.") from error

    return RawImages(raw=raw, open=lambda row: Image.open(io.BytesIO(raw(row))), where=where)


def _holds_bytes(column_type: pa.DataType) -> bool:
    if pa.types.is_struct(column_type):
        index = column_type.get_field_index("bytes")
        return index >= 0 and _holds_bytes(column_type.field(index).type)
    return bool(pa.types.is_binary(column_type) or pa.types.is_large_binary(column_type))


def _fields(chunk: pa.Array) -> tuple[pa.Array | None, pa.Array | None]:
    if not pa.types.is_struct(chunk.type):
        return chunk, None
    names = [field.name for field in chunk.type]
    return tuple(chunk.field(name) if name in names else None for name in ("bytes", "path"))
