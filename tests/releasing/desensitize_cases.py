"""Small image sets on disk, and how the tests release them in this process."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from maskbench import Method
from maskbench.releasing.command import desensitize
from maskbench.releasing.finished import Finished
from PIL import Image

CPU = torch.device("cpu")
RANDOM = "random:patch=2,ratio=0.5"
SIDE = 16


class Remarks:
    """A watcher that remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def progress(self, what: str, share: float) -> None:
        """See ``Watcher``."""
        assert 0 <= share <= 1 + 1e-9

    def remark(self, text: str) -> None:
        """See ``Watcher``."""
        self.said.append(text)


def release(source: Path, destination: Path, method: str | Method | None = RANDOM, **options: Any) -> Finished:
    """Release in this process, on the CPU, in silence."""
    return desensitize(source, destination, method, **options)


def picture(seed: int, size: tuple[int, int] = (SIDE, SIDE), mode: str = "RGB") -> Image.Image:
    """Noise: no two pixels alike to speak of, and none black."""
    shape = (size[1], size[0], len(mode)) if len(mode) > 1 else (size[1], size[0])
    return Image.fromarray(np.random.default_rng(seed).integers(1, 256, shape, dtype=np.uint8))


def encoded(image: Image.Image, form: str = "PNG", **save: Any) -> bytes:
    """An image file's content."""
    stream = io.BytesIO()
    image.save(stream, format=form, **save)
    return stream.getvalue()


def class_folders(root: Path, count: int = 6, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """``root/CLASS/NUMBER.png``; a bright square tells the classes apart."""
    for code, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng(code * 1000 + number).integers(1, 100, (SIDE, SIDE, 3), dtype=np.uint8)
            pixels[2 + 6 * code : 8 + 6 * code, 4:10] += 150
            Image.fromarray(pixels).save(root / name / f"{number:03}.png")
    return root


def parquet(path: Path, count: int, first: int = 0, features: bool = True, **columns: Any) -> Path:
    """A file as the `datasets` library writes it, with a label column and whatever else is given."""
    cells = [{"bytes": encoded(picture(first + row)), "path": f"{first + row}.jpg"} for row in range(count)]
    labels = pa.array([(first + row) % 2 for row in range(count)], pa.int64())
    table = pa.table({"image": cells, "label": labels, **columns})
    if features:
        described = {"image": {"_type": "Image"}, "label": {"names": ["even", "odd"], "_type": "ClassLabel"}}
        table = table.replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": described}}), "other": "who made it"}
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def pixels(path: Path) -> np.ndarray:
    """What a file shows: uint8 H W or H W C."""
    with Image.open(path) as image:
        return np.asarray(image)


def tree(root: Path) -> dict[str, bytes]:
    """Relative path → content of every file."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def errors(outcome: Finished) -> dict[str, str]:
    """File → reason."""
    return {error["file"]: error["reason"] for error in outcome.manifest["errors"]}
