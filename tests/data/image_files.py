"""Small image sets on disk, made for the tests of the sources."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def random_image(seed: int, size: tuple[int, int] = (16, 16), mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(seed).bytes(size[0] * size[1] * len(Image.new(mode, (1, 1)).getbands()))
    return Image.frombytes(mode, size, values)


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def write_classes(root: Path, counts: dict[str, int], first_seed: int = 0, mode: str = "RGB") -> Path:
    """Write ``root/CLASS/NUMBER.png`` with as many distinct images a class as `counts` says."""
    seed = first_seed
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (root / name / f"{number:04}.png").write_bytes(png(random_image(seed, mode=mode)))
            seed += 1
    return root


def write_parquet(
    path: Path,
    columns: dict[str, Any],
    names: dict[str, list[str]] | None = None,
    first_seed: int = 0,
    images: list[bytes] | None = None,
) -> Path:
    """Write one Parquet file with an image a row; `names` become ClassLabel features, None = no metadata."""
    count = len(next(iter(columns.values())))
    encoded = images or [png(random_image(first_seed + row)) for row in range(count)]
    cells = [{"bytes": data, "path": f"{row}.png"} for row, data in enumerate(encoded)]
    table = pa.table({"image": cells, **columns})
    if names is not None:
        features: dict[str, Any] = {"image": {"_type": "Image"}}
        for column in columns:
            dtype = str(table[column].type)
            features[column] = {"dtype": dtype, "_type": "Value"}
            if column in names:
                features[column] = {"names": names[column], "_type": "ClassLabel"}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path
