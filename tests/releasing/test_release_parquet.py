"""Parquet in, Parquet out: label columns are kept, pictures are not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from desensitize_cases import RANDOM, encoded, errors, parquet, picture, release
from maskbench.data.sources.parquet import ParquetFolder
from maskbench.errors import UsageError
from PIL import Image


def _pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def _check(table: pa.Table, raw: list[int]) -> None:
    """Each row is the release of the picture of that seed."""
    assert len(table) == len(raw)
    for row, seed in zip(table.to_pylist(), raw, strict=True):
        shown, mask, expected = _pixels(row["image"]["bytes"]), _pixels(row["mask"]), np.asarray(picture(seed))
        assert row["label"] == seed % 2
        assert row["image"]["path"] == f"{seed}.png"
        assert (mask == 0).mean() == 0.5
        assert np.array_equal(shown[mask == 255], expected[mask == 255])
        assert not shown[mask == 0].any()


def test_files_rows_and_label_columns_are_kept(tmp_path: Path) -> None:
    parquet(tmp_path / "src" / "data" / "train-00000-of-00002.parquet", 5, age=pa.array([1, 2, None, 4, 5], pa.int16()))
    parquet(tmp_path / "src" / "data" / "train-00001-of-00002.parquet", 3, first=5, age=pa.array([6, 7, 8], pa.int16()))
    outcome = release(tmp_path / "src", tmp_path / "dst")
    first = pq.read_table(tmp_path / "dst" / "data" / "train-00000-of-00002.parquet")
    second = pq.read_table(tmp_path / "dst" / "data" / "train-00001-of-00002.parquet")
    assert first.column_names == ["image", "mask", "label", "age"]
    _check(first, list(range(5)))
    _check(second, [5, 6, 7])
    assert first["age"].to_pylist() == [1, 2, None, 4, 5]
    assert first.schema.field("age").type == pa.int16()
    assert outcome.manifest["images"] == {"source": 8, "left_out_by_limit": 0, "released": 8, "errors": 0}
    assert set(first.schema.metadata) == {b"huggingface"}


def test_other_readers_understand_it(tmp_path: Path) -> None:
    import datasets

    parquet(tmp_path / "src" / "train.parquet", 4)
    release(tmp_path / "src", tmp_path / "dst")
    own = ParquetFolder(tmp_path / "dst").labels()
    assert own.classes["label"] == ["even", "odd"]
    table = pq.read_table(tmp_path / "dst" / "train.parquet")
    features = datasets.Features.from_arrow_schema(table.schema)
    assert isinstance(features["image"], datasets.Image)
    assert features["label"].names == ["even", "odd"]


def test_a_single_file_without_metadata(tmp_path: Path) -> None:
    file = parquet(tmp_path / "some.parquet", 3, features=False)
    release(file, tmp_path / "dst")
    _check(pq.read_table(tmp_path / "dst" / "some.parquet"), [0, 1, 2])


def test_columns_that_may_contain_pictures_are_left_out(tmp_path: Path) -> None:
    raw = encoded(picture(0))
    parquet(
        tmp_path / "src" / "a.parquet",
        2,
        thumbnail=pa.array([raw, raw]),
        embedding=pa.array([[0.1, 0.2]] * 2),
        box=pa.array([{"x": 1}] * 2),
        who=pa.array(["a", "b"]).dictionary_encode(),
        weight=pa.array([0.5, 1.5]),
    )
    outcome = release(tmp_path / "src", tmp_path / "dst")
    table = pq.read_table(tmp_path / "dst" / "a.parquet")
    assert table.column_names == ["image", "mask", "label", "who", "weight"]
    assert table["who"].to_pylist() == ["a", "b"]
    assert set(outcome.manifest["not_used"]["columns"]) == {"thumbnail", "embedding", "box"}
    assert raw[30:80] not in (tmp_path / "dst" / "a.parquet").read_bytes()


def test_rows_that_cannot_be_read_are_left_out_and_named(tmp_path: Path) -> None:
    file = parquet(tmp_path / "src" / "a.parquet", 4)
    table = pq.read_table(file)
    cells = table["image"].to_pylist()
    cells[1]["bytes"] = b"broken"
    cells[2] = {"bytes": None, "path": "not-there.png"}
    pq.write_table(table.set_column(0, table.schema.field(0), pa.array(cells, table.schema.field(0).type)), file)
    outcome = release(tmp_path / "src", tmp_path / "dst")
    assert list(errors(outcome)) == ["a.parquet, row 1", "a.parquet, row 2"]
    assert str(tmp_path) not in str(outcome.manifest)
    _check(pq.read_table(tmp_path / "dst" / "a.parquet"), [0, 3])

    parquet(tmp_path / "src" / "a.parquet", 4)
    assert errors(release(tmp_path / "src", tmp_path / "dst", resume=True)) == {}
    _check(pq.read_table(tmp_path / "dst" / "a.parquet"), [0, 1, 2, 3])


def test_a_limit_over_several_files(tmp_path: Path) -> None:
    for number in range(3):
        parquet(tmp_path / "src" / f"{number}.parquet", 300, first=300 * number)
    release(tmp_path / "src", tmp_path / "dst", limit=9)
    seeds = [row for number in range(3) for row in (300 * number, 300 * number + 100, 300 * number + 200)]
    tables = [pq.read_table(tmp_path / "dst" / f"{number}.parquet") for number in range(3)]
    _check(pa.concat_tables(tables), seeds)


def test_without_masks(tmp_path: Path) -> None:
    parquet(tmp_path / "src" / "a.parquet", 2, mask=pa.array([1, 2]))
    with pytest.raises(UsageError, match="has a column 'mask'"):
        release(tmp_path / "src", tmp_path / "dst")
    release(tmp_path / "src", tmp_path / "dst", masks=False)
    assert pq.read_table(tmp_path / "dst" / "a.parquet")["mask"].to_pylist() == [1, 2]


@pytest.mark.parametrize("options", [{"method": "saliency:patch=4"}, {"method": "sensitive-drop", "sensitive": "age"}])
def test_saliency_of_a_label_column(tmp_path: Path, options: dict[str, str]) -> None:
    parquet(tmp_path / "src" / "a.parquet", 24, age=pa.array([row // 12 for row in range(24)]))
    outcome = release(tmp_path / "src", tmp_path / "dst", target="label", epochs=1, **options)
    learned = outcome.manifest["method"]["learned_from"]
    assert learned["target"] == "label"
    assert learned.get("sensitive") == options.get("sensitive")
    assert learned["training"]["epochs"] == 1
    table = pq.read_table(tmp_path / "dst" / "a.parquet")
    assert len(table) == 24
    assert ("age" in table.column_names) == (learned.get("sensitive") is None)


def test_the_sensitive_column_is_not_released(tmp_path: Path) -> None:
    parquet(tmp_path / "src" / "a.parquet", 4, age=pa.array([0, 1, 0, 1]))
    with pytest.raises(UsageError, match="did you mean 'age'"):
        release(tmp_path / "src", tmp_path / "dst", sensitive="aeg")
    saved = tmp_path / "m.safetensors"
    outcome = release(tmp_path / "src", tmp_path / "dst", sensitive="age", save=saved)
    assert pq.read_table(tmp_path / "dst" / "a.parquet").column_names == ["image", "mask", "label"]
    assert outcome.manifest["not_used"]["columns"] == {"age": "is named as sensitive"}
    release(tmp_path / "src", tmp_path / "later", None, load=saved)
    assert (tmp_path / "later" / "a.parquet").read_bytes() == (tmp_path / "dst" / "a.parquet").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "lable"}, "did you mean 'label'"),
        ({"target": "weight"}, "no label column"),
        ({"target": "label", "sensitive": "label"}, "both 'label'"),
    ],
)
def test_labels_that_are_not_there(tmp_path: Path, options: dict[str, str], message: str) -> None:
    parquet(tmp_path / "src" / "a.parquet", 4, weight=pa.array([0.1, 0.2, 0.3, 0.4]))
    with pytest.raises(UsageError, match=message):
        release(tmp_path / "src", tmp_path / "dst", "saliency", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_no_parquet_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="no readable Parquet file"):
        release(tmp_path / "a.parquet", tmp_path / "dst", RANDOM)
