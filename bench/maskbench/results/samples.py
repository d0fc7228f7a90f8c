"""The outcomes image by image, so that two runs can be compared on the same images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from maskbench.artifacts.store import Artifact
from maskbench.planning.matrix import Matrix
from maskbench.results.result import Result
from maskbench.results.rows import identity
from maskbench.results.schema import COLUMNS, SPLITS


def build_samples(matrix: Matrix, found: Sequence[Result], data: Artifact) -> pd.DataFrame:
    """One row for each image of each cell that ran; ``target_class`` names the image's target label."""
    names = np.asarray(data.record["target_classes"])[data.tensors["target"].numpy()]
    parts = [_samples(result, matrix, data, names) for result in found if result.status == "ok"]
    samples = pd.concat(parts) if parts else pd.DataFrame()
    first = [name for name in COLUMNS if name in samples.columns]
    outcomes = sorted(set(samples.columns) - set(first))
    return samples[[*first, *outcomes]].reset_index(drop=True)


def _samples(result: Result, matrix: Matrix, data: Artifact, names: np.ndarray) -> pd.DataFrame:
    parts = []
    for split in SPLITS:
        columns = result.columns(split)
        if columns:
            # In the order of their names: an artifact from the store has forgotten the order it was made in.
            parts.append(pd.DataFrame({**dict(sorted(columns.items())), "split": split}))
    frame = pd.concat(parts)
    frame["target_class"] = names[frame["number"].to_numpy()]
    base = identity(matrix, data.record, result.cell)
    for position, (name, value) in enumerate({**base, "seed": result.cell.seed}.items()):
        frame.insert(position, name, value)
    return frame
