"""Soft labels of a release: what the owner's teacher says of each raw image, beside the images."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import torch
from torch import Tensor

from maskbench.data.own_output import IMAGES
from maskbench.errors import UsageError
from maskbench.releasing.output import Record

SOFT_LABELS = "soft_labels.csv"
"""The file of a release of pictures: the path of each below its folder of images, then a probability for each class."""

SOFT_LABEL = "soft_label"
"""The column of a Parquet release."""

_FILE = "file"
_DIGITS = 6
_LEAST = 1e-6  # what a probability that was rounded to 0 is taken for


@dataclass(frozen=True)
class SoftLabels:
    """What the numbers are.

    Attributes:
        target: the label column that the teacher learned.
        classes: the names of its classes, in the order of the numbers.
        temperature: what the teacher's logits were divided by before the softmax.
    """

    target: str
    classes: Sequence[str]
    temperature: float

    def described(self, place: str) -> dict[str, Any]:
        """What the manifest says of them; ``place``: the column or file that holds them."""
        about = {"target": self.target, "classes": list(self.classes), "temperature": self.temperature}
        return {"place": place, **about}

    def table(self, records: Iterable[Record]) -> str:
        """The content of the file, for a release of pictures."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([_FILE, *self.classes])
        for record in records:
            if record.soft_label:
                (released,) = (file for file in record.files if file.startswith(f"{IMAGES}/"))
                values = [f"{value:.{_DIGITS}g}" for value in record.soft_label]
                writer.writerow([released.removeprefix(f"{IMAGES}/"), *values])
        return stream.getvalue()


def of_pictures(root: Path, manifest: Mapping[str, Any], paths: Sequence[str]) -> Tensor:
    """Float32 (N, classes of the manifest): probabilities of the pictures at these paths."""
    described = manifest["soft_labels"]
    try:
        found = pd.read_csv(root / described["place"], index_col=_FILE, dtype={_FILE: str})
        return torch.from_numpy(found.loc[list(paths), list(described["classes"])].to_numpy("float32"))
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(f"The soft labels of {root} cannot be read: {error}.") from None


def of_parquet(root: Path, files: Iterable[Path]) -> Tensor:
    """Float32 (N, classes of the manifest): probabilities of the rows of these files."""
    try:
        rows = [row for path in files for row in pq.read_table(path, columns=[SOFT_LABEL])[SOFT_LABEL].to_pylist()]
        return torch.tensor(rows, dtype=torch.float32)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UsageError(f"The soft labels of {root} cannot be read: {error}.") from None


def as_answers(probabilities: Tensor, manifest: Mapping[str, Any], classes: Sequence[str]) -> Tensor:
    """The teacher's logits again, but for a constant in each row: what ``recognition_loss`` takes.

    Args:
        probabilities: float32 (N, classes of the manifest).
        classes: of the release, in the order that is wanted.
    """
    described = manifest["soft_labels"]
    order = [described["classes"].index(name) for name in classes]
    return probabilities.clamp_min(_LEAST).log()[:, order] * described["temperature"]
