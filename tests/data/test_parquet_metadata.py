"""Metadata of any shape, columns of any type: read, or one clear error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import png, random_image, write_parquet
from maskbench.data.load import load, resolve
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError
from maskbench.releasing.command import desensitize

COUNT = 60
IMAGES = pa.array([png(random_image(row, (16, 16))) for row in range(COUNT)])
NAMES = pa.array(["cat" if row % 2 else "dog" for row in range(COUNT)])


def _write(root: Path, columns: list[tuple[str, Any]], metadata: bytes | None = None) -> DataOptions:
    root.mkdir()
    table = pa.Table.from_arrays([column for _, column in columns], names=[name for name, _ in columns])
    pq.write_table(
        table.replace_schema_metadata(None if metadata is None else {b"huggingface": metadata}), root / "train.parquet"
    )
    return DataOptions(source=str(root))


@pytest.mark.parametrize(
    "metadata",
    [
        *(b"x", b"{}", b"[]", b"null", b'{"other": 1}', b'{"info": {}}', b'{"info": 3}', b"[" * 5000),
        *(b'{"info": {"features": null}}', b'{"info": {"features": [1]}}', b'{"info": {"features": {"label": 1}}}'),
        b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": null}}}}',
        b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": [1, 2]}}}}',
        b'{"info": {"features": {"label": {"_type": "Image"}}}}',
        b'{"info": {"features": {"label": {"_type": "NoSuchThing"}}}}',
    ],
)
def test_metadata_of_another_shape_count_as_none(tmp_path: Path, metadata: bytes) -> None:
    options = _write(tmp_path / "src", [("image", IMAGES), ("label", NAMES)], metadata)
    assert load(options).classes == {"label": ["cat", "dog"]}
    finished = desensitize(tmp_path / "src", tmp_path / "dst", "random")
    assert finished.manifest["images"]["released"] == COUNT
    assert pq.read_table(tmp_path / "dst" / "train.parquet")["label"].to_pylist() == NAMES.to_pylist()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([("image", IMAGES), ("label", NAMES), ("label", NAMES)], "several columns named 'label'"),
        ([("image", IMAGES), ("label", NAMES)], "'label' .*ClassLabel and holds string values"),
    ],
)
def test_columns_that_cannot_be_meant(tmp_path: Path, columns: list[tuple[str, Any]], message: str) -> None:
    described = {"info": {"features": {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}}}
    options = _write(tmp_path / "src", columns, json.dumps(described).encode())
    with pytest.raises(UsageError, match=message):
        resolve(options)
    with pytest.raises(UsageError, match=message):
        desensitize(tmp_path / "src", tmp_path / "dst", "random")
    assert not (tmp_path / "dst").exists()


@pytest.mark.parametrize(
    "text", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
@pytest.mark.parametrize("content", [pa.binary(), pa.large_binary(), pa.binary_view()])
@pytest.mark.parametrize("struct", [False, True])
def test_every_string_and_binary_type_is_read(
    tmp_path: Path, text: pa.DataType, content: pa.DataType, struct: bool
) -> None:
    images: pa.Array = IMAGES.cast(content)
    if struct:
        images = pa.StructArray.from_arrays([images, pa.array(["a/b.jpg"] * COUNT, pa.string())], ["bytes", "path"])
    options = _write(tmp_path / "src", [("image", images), ("label", NAMES.cast(text))])
    found = load(options)
    assert found.classes == {"label": ["cat", "dog"]}
    assert np.array_equal(found.images[7].numpy(), np.asarray(random_image(7, (16, 16))).transpose(2, 0, 1))
    desensitize(tmp_path / "src", tmp_path / "dst", "random")
    table = pq.read_table(tmp_path / "dst" / "train.parquet")
    assert table["label"].to_pylist() == NAMES.to_pylist()
    assert {cell["path"] for cell in table["image"].to_pylist()} == {"b.png" if struct else None}


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    options = _write(tmp_path / "src", [("image", IMAGES), ("label", NAMES)])
    (tmp_path / "src" / "._train.parquet").write_bytes(b"\0\5\x16\7" + bytes(60))
    assert len(load(options).images) == COUNT
    assert desensitize(tmp_path / "src", tmp_path / "dst", "random").manifest["images"]["released"] == COUNT


@pytest.mark.parametrize("path", ["../secret.png", "/dev/zero", "pipe", "link.png", "", "\0", "folder"])
def test_a_cell_opens_no_file_but_the_datas(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.png").write_bytes(png(random_image(0)))
    root = tmp_path / "src"
    write_parquet(root / "train.parquet", {"kind": np.arange(COUNT) % 2})
    os.mkfifo(root / "pipe")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "folder").mkdir()
    (root / "inside.png").write_bytes(png(random_image(1)))
    table = pq.read_table(root / "train.parquet")
    cells = table["image"].to_pylist()
    cells[0] = {"bytes": None, "path": "inside.png"}
    cells[5] = {"bytes": None, "path": path}
    pq.write_table(table.set_column(0, "image", pa.array(cells)), root / "train.parquet")
    for limit in (None, 50):
        with pytest.raises(UsageError, match=r"(?s)row 5.*it has no bytes"):
            load(DataOptions(source=str(root), limit=limit))
    finished = desensitize(root, tmp_path / "dst", "random")
    assert [error["file"] for error in finished.manifest["errors"]] == ["train.parquet, row 5"]
    assert "no bytes" in finished.manifest["errors"][0]["reason"]
