"""What methods leak beside random masks, from folders that ``maskbench run`` left: ``python leakage.py RUN …``.

A row is the advantage of the attack that was chosen on validation, and its difference from that of plain random masks
at the same ratio, on the same images and seeds, with a paired bootstrap interval.
"""

from __future__ import annotations

import sys
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
KEY = ["method", "params", "split"]
SPLITS = {"owner_train": "released training images", "owner_test": "test images"}


def of_strongest(samples: pd.DataFrame, cells: pd.DataFrame) -> NDArray[np.float64]:
    """Whether the chosen attack was right and whether guessing from the prior was: (seeds, images, 2)."""
    chosen = cells.dropna(subset=["seed"]).set_index("seed")["chosen"]
    part = samples[samples["attack"] == samples["seed"].map(chosen)]
    columns = [
        part.pivot(index="seed", columns="number", values=column).to_numpy(np.float64)
        for column in ("correct", "prior_correct")
    ]
    return np.stack(columns, axis=2)


def statistic(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Advantage of the mean accuracy over the mean of the prior's."""
    return advantage(means[..., 0], means[..., 1])


def table(run: maskbench.Run) -> pd.DataFrame:
    """One row for each method and split."""
    samples = run.samples[(run.samples["attack_kind"] == "inference") & (run.samples["label"] == "sensitive")]
    cells = run.cells[(run.cells["attack"] == STRONGEST) & (run.cells["metric"] == "advantage")]
    cells = cells[cells["role"] == "method"]
    outcomes = dict(list(samples.groupby(KEY)))
    found = {key: of_strongest(outcomes[key], part) for key, part in cells.groupby(KEY, sort=False)}
    return pd.DataFrame(
        {
            "scored on": SPLITS[split],
            "method": name(method, params),
            "advantage, points": shown(interval(mine, statistic)),
            "over random": "–"
            if method == BASELINE
            else shown(difference(mine, found[BASELINE, "", split], statistic), sign=True),
        }
        for (method, params, split), mine in found.items()
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
