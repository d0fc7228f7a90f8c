"""Example pictures as PNG files, with an index of what each one shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from maskbench.results.examples import Example

_INDEX = "pictures.json"


def write(shown: Sequence[Example], folder: Path) -> None:
    """Write pictures, numbered, and the index."""
    folder.mkdir()
    index = []
    for number, picture in enumerate(shown):
        name = f"{number:04}.png"
        pixels = picture.pixels[0] if len(picture.pixels) == 1 else picture.pixels.transpose(1, 2, 0)
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / name)
        index.append({"file": name, **{key: value for key, value in vars(picture).items() if key != "pixels"}})
    (folder / _INDEX).write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: Path) -> tuple[Example, ...]:
    """Read what ``write`` wrote."""
    found = []
    for entry in json.loads((folder / _INDEX).read_text(encoding="utf-8")):
        # Of the name alone: an index that somebody else wrote must not lead out of the folder.
        with Image.open(folder / Path(entry.pop("file")).name, formats=["PNG"]) as image:
            pixels = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
        found.append(Example(**entry, pixels=pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)))
    return tuple(found)
