"""Parquet columns of every Arrow type, as image, label and bystander: read, refused or left out; nothing raw leaves."""

from __future__ import annotations

import datetime
import decimal
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import png, random_image
from maskbench.data.load import load
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError
from maskbench.releasing.command import desensitize
from PIL import Image

ROWS = 60
PICTURES = [png(random_image(row)) for row in range(ROWS)]
PIXELS = [np.asarray(random_image(row)) for row in range(ROWS)]
DAY = datetime.datetime(2024, 1, 2, 3, 4, 5)
Column = tuple[str, pa.Array]


def plain() -> Iterator[tuple[pa.DataType, list[Any]]]:
    """Every type without a part, with two values that it can hold."""
    for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        yield kind, [0, 1]
    for kind in (pa.float16(), pa.float32(), pa.float64()):
        yield kind, [np.float16(0.5), np.float16(1.5)]
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        yield kind, ["a", "b\n|<!--"]
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        yield kind, PICTURES
    yield pa.binary(4), [b"\x89PNG", b"JFIF"]
    yield pa.bool_(), [False, True]
    yield pa.null(), [None]
    yield pa.date32(), [DAY.date()]
    yield pa.date64(), [DAY.date()]
    yield pa.duration("s"), [datetime.timedelta(seconds=1), datetime.timedelta(0)]
    for unit in ("s", "ms", "us", "ns"):
        yield pa.timestamp(unit), [DAY]
        yield pa.timestamp(unit, tz="UTC"), [DAY]
    for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")):
        yield kind, [DAY.time()]
    for kind in (pa.decimal32(4, 1), pa.decimal64(12, 1), pa.decimal128(20, 1), pa.decimal256(50, 1)):
        yield kind, [decimal.Decimal("0.5"), decimal.Decimal("1.5")]


def nested() -> Iterator[tuple[pa.DataType, list[Any]]]:
    """Types with parts, most of which hold a picture or its pixels."""
    flat, rows = [each.reshape(-1).tolist() for each in PIXELS], [each[..., 0].tolist() for each in PIXELS]
    for inner, values in ((pa.binary(), [[each] for each in PICTURES]), (pa.uint8(), flat), (pa.string(), [["a"]])):
        yield pa.list_(inner), values
        yield pa.large_list(inner), values
        yield pa.list_(inner, len(values[0])), values
    yield pa.list_(pa.list_(pa.uint8())), rows
    yield (
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        [{"bytes": each, "path": "x"} for each in PICTURES],
    )
    yield pa.struct([("bytes", pa.large_binary())]), [{"bytes": each} for each in PICTURES]
    yield pa.struct([("path", pa.string())]), [{"path": "/dev/zero"}, {"path": "../x.png"}]
    yield pa.struct([("bytes", pa.int64()), ("path", pa.int64())]), [{"bytes": 1, "path": 2}]
    yield pa.struct([("deep", pa.struct([("er", pa.binary())]))]), [{"deep": {"er": each}} for each in PICTURES]
    yield pa.struct([("text", pa.string())]), [{"text": "a"}, None]
    yield pa.map_(pa.string(), pa.binary()), [[("x", each)] for each in PICTURES]
    yield pa.map_(pa.string(), pa.int32()), [[("x", 1)], []]


def arrays() -> Iterator[Column]:
    for kind, values in (*plain(), *nested()):
        yield str(kind), pa.array([values[row % len(values)] for row in range(ROWS)], kind)
    for kind, values in ((pa.string(), ["a", "b"]), (pa.int64(), [1, 2]), (pa.binary(), PICTURES)):
        full = pa.array([values[row % len(values)] for row in range(ROWS)], kind)
        yield f"dictionary of {kind}", full.dictionary_encode()
        yield f"{kind} with gaps", pa.array([None if row % 3 else full[row].as_py() for row in range(ROWS)], kind)
    yield "tensor", pa.FixedShapeTensorArray.from_numpy_ndarray(np.stack(PIXELS))
    yield (
        "uuid",
        pa.array([bytes([row]) * 16 for row in range(ROWS)], pa.binary(16)).cast(pa.binary(16)).view(pa.uuid()),
    )
    yield "json", pa.array(['{"a": 1}'] * ROWS).cast(pa.string()).view(pa.json_())


def written(folder: Path, columns: dict[str, pa.Array]) -> Path | None:
    """A Parquet file of these columns; None where the format holds no such type."""
    folder.mkdir()
    try:
        pq.write_table(pa.table(columns), folder / "train.parquet")
    except (pa.ArrowException, NotImplementedError):
        return None
    return folder


def inner(value: Any) -> Iterator[Any]:
    """A value and all its parts."""
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from inner(part)


def shows_raw(value: Any) -> bool:
    """Whether a released cell is a raw picture, holds one, or its pixels."""
    for part in inner(value):
        if isinstance(part, bytes) and part[:4] == b"\x89PNG" and len(part) > 4:
            with Image.open(io.BytesIO(part)) as image:
                shown = np.asarray(image)
            if any(np.array_equal(shown, pixels) for pixels in PIXELS):
                return True
        elif isinstance(part, list | tuple | np.ndarray) and np.size(part) >= 16:
            return True
    return False


@pytest.mark.parametrize("role", ["image", "label", "bystander"])
def test_every_type_is_read_refused_or_left_out(tmp_path: Path, role: str, capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter[str]()
    image = pa.array([{"bytes": each, "path": f"{row}.png"} for row, each in enumerate(PICTURES)])
    label = pa.array(["a", "b"] * (ROWS // 2))
    for number, (what, values) in enumerate(arrays()):
        columns = {"image": image, "label": label, "other": values}
        if role != "bystander":
            columns[role] = values
            del columns["other"]
        source = written(tmp_path / f"{number}", columns)
        if source is None:
            counts["not in Parquet"] += 1
            continue
        try:
            load(DataOptions(source=str(source), target="label"))
            counts["run: read"] += 1
        except UsageError as error:
            counts["run: refused"] += 1
            assert "\n" not in str(error), what
        destination = tmp_path / f"{number}-released"
        try:
            finished = desensitize(source, destination, "random:patch=2,ratio=0.5", limit=6)
        except UsageError as error:
            counts["release: refused"] += 1
            assert "\n" not in str(error), what
            continue
        counts["release: errors" if finished.errors else "release: done"] += 1
        table = pq.read_table(destination / "train.parquet")
        for name in table.column_names:
            assert not any(map(shows_raw, table[name].to_pylist())), f"{what} as {role}: raw pictures in '{name}'"
    with capsys.disabled():
        print(f"\n{role}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    assert counts["run: read"] > 0
