"""A set of pictures whose upper and whose lower half are bright or dark, each as its first and second bit says."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

IMAGES = 600
SIDE = 16


def drawn_bits() -> NDArray[np.int64]:
    """Two fair bits a picture, (IMAGES, 2)."""
    return np.random.default_rng(0).integers(0, 2, (IMAGES, 2))


def write_halves(file: Path, bits: NDArray[np.int64], labels: Mapping[str, Any]) -> None:
    """Write the pictures of these bits, with noise, and their labels as a Parquet file."""
    values = np.repeat(np.where(bits, 200, 50), SIDE // 2, axis=1)[:, :, None]
    noise = np.random.default_rng(1).integers(-40, 41, (len(bits), SIDE, SIDE))
    encoded = []
    for picture in (values + noise).astype(np.uint8):
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, format="PNG")
        encoded.append({"bytes": stream.getvalue(), "path": None})
    file.parent.mkdir(parents=True)
    pq.write_table(pa.table({"image": encoded, **labels}), file)
