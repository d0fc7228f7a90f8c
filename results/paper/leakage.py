"""What methods leak beside random masks, from folders that ``maskbench run`` left: ``python leakage.py RUN …``.

A row is what the attack gets that was chosen on validation, and its difference from what one gets from plain random
masks at the same ratio, on the same images and seeds, with a paired bootstrap interval. It is the advantage on the
sensitive label; of data that have none, how alike the restored holes are to what was there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import maskbench
import numpy as np
import pandas as pd
from gains import BASELINE, name, shown
from maskbench.metrics.intervals import difference, interval
from maskbench.metrics.leakage import advantage
from maskbench.report.text import to_markdown
from numpy.typing import NDArray

STRONGEST = "strongest"
KEY = ["method", "params", "ratio", "split"]
SPLITS = {"owner_train": "released training images", "owner_test": "test images"}


def of_strongest(samples: pd.DataFrame, cells: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Outcomes of the chosen attack: (seeds, images, columns)."""
    chosen = cells.dropna(subset=["seed"]).set_index("seed")["chosen"]
    part = samples[samples["attack"] == samples["seed"].map(chosen)]
    found = [part.pivot(index="seed", columns="number", values=column).to_numpy(np.float64) for column in columns]
    return np.stack(found, axis=2)


def gained(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Advantage of the mean accuracy over the mean of the prior's."""
    return advantage(means[..., 0], means[..., 1])


def similarity(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over images."""
    return means[..., 0]


def table(run: maskbench.Run) -> pd.DataFrame:
    """One row for each method and split."""
    inferred = run.provenance["data"]["sensitive"] is not None
    kind, metric = ("inference", "advantage") if inferred else ("restoration", "ssim_hole")
    columns, statistic = (["correct", "prior_correct"], gained) if inferred else ([metric], similarity)
    samples = run.samples[run.samples["attack_kind"] == kind]
    samples = samples[samples["label"] == "sensitive"] if inferred else samples
    cells = run.cells[(run.cells["attack"] == STRONGEST) & (run.cells["metric"] == metric)]
    cells = cells[cells["role"] == "method"]
    outcomes = dict(list(samples.groupby(KEY)))
    found = {key: of_strongest(outcomes[key], part, columns) for key, part in cells.groupby(KEY, sort=False)}
    return pd.DataFrame(
        {
            "scored on": SPLITS[split],
            "hidden": f"{ratio:.0%}",
            "method": name(method, params),
            "advantage, points" if inferred else "similarity of holes, × 100": shown(interval(mine, statistic)),
            "over random": "–"
            if method == BASELINE
            else shown(difference(mine, found[BASELINE, "", ratio, split], statistic), sign=True),
        }
        for (method, params, ratio, split), mine in found.items()
    )


def main() -> None:
    """Print a caption and a table for each run."""
    for folder in map(Path, sys.argv[1:]):
        run = maskbench.load(folder)
        data = run.provenance["data"]
        print(f"\n### {data['name']}, sensitive {data['sensitive']}\n")
        print(to_markdown(table(run)))


if __name__ == "__main__":
    main()
