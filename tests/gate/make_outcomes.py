"""Make ``outcomes.parquet`` of run folders: ``python tests/gate/make_outcomes.py DATASET=RUN[,RUN…] …``.

The runs of a data set have the same cells under other seeds (``--first-seed``). Kept are 24 seeds, five methods at most
and 256 images of the split where a cell counts, rounded so that the file stays small. Of class probabilities it is the
log-odds, in sixteenths: the AUC and the true positive rate ask for their order alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from maskbench.results.reading import HEADLINE_SPLIT
from maskbench.results.schema import CELL, PROBABILITIES
from simulated import IMAGES, POOL, SEEDS, STEPS

KEPT = ("raw", "full-mask", "random", "pixelate", "saliency")
DECIMALS = {"information": 2, "ssim": 3, "ssim_hole": 3, "psnr_hole": 1, "gain": 1, "hidden": 3}
FLAGS = ("correct", "prior_correct")


def main(given: list[str]) -> None:
    """Write the file."""
    parts = [_dataset(*each.split("=", 1)) for each in given]
    table = pa.Table.from_pandas(pd.concat(parts, ignore_index=True), preserve_index=False)
    pq.write_table(table, POOL, compression="zstd", compression_level=19)


def _dataset(name: str, runs: str) -> pd.DataFrame:
    samples = pd.concat([pd.read_parquet(Path(run) / "samples.parquet") for run in runs.split(",")])
    kept = samples["method"].isin(KEPT) & ~samples["params"].str.contains("adjust")
    rows = samples[kept & (samples["split"] == samples["label"].map(HEADLINE_SPLIT))]
    seeds = sorted(rows["seed"].unique())[:SEEDS]
    rows = rows[rows["seed"].isin(seeds)].assign(seed=lambda part: part["seed"].map(seeds.index).astype("int8"))
    cells = rows.groupby([*CELL, "seed"], dropna=False)
    rows = rows[cells["number"].rank(method="first") <= IMAGES].sort_values([*CELL, "number", "seed"])
    rounded = {column: rows[column].round(digits).astype("float32") for column, digits in DECIMALS.items()}
    flags = {column: rows[column].astype("Int8") for column in (*FLAGS, "truth", "guess")}
    return pd.DataFrame(
        {
            "dataset": name,
            **{column: rows[column] for column in (*CELL, "seed", "split")},
            "number": rows["number"].astype("int32"),
            **rounded,
            **flags,
            PROBABILITIES: rows[PROBABILITIES].map(_steps, na_action="ignore"),
        }
    )


def _steps(stated: np.ndarray) -> np.ndarray:
    shares = np.clip(np.asarray(stated, dtype=np.float64), 1e-7, 1 - 1e-7)
    return np.clip(np.round(STEPS * np.log(shares / (1 - shares))), -128, 127).astype(np.int8)


if __name__ == "__main__":
    main(sys.argv[1:])
