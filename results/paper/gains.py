"""The tables of docs/results-paper.md, from the folders that ``maskbench run paper`` left: ``python gains.py RUN …``.

A gain is the accuracy of a method minus that of random masks at the same ratio, on the same images and seeds, with a
paired bootstrap interval: of plain ones, and of ones with the same adjustment, where these were run. Shape alone is the
accuracy of a classifier that sees nothing but the masks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import maskbench
import numpy as np
import pandas as pd
from maskbench.metrics.intervals import Interval, difference, interval, proportion
from maskbench.report.text import to_markdown
from numpy.typing import NDArray

BASELINE = "random"
_POINTS = 100


def outcomes(samples: pd.DataFrame) -> NDArray[np.float64]:
    """Whether each image was recognized: (seeds, images, 1)."""
    table = samples.pivot(index="seed", columns="number", values="correct")
    return table.to_numpy(np.float64)[:, :, None]


def shown(found: Interval, sign: bool = False) -> str:
    """A share as points of 100, with its interval."""
    value, low, high = (f"{_POINTS * part:{'+' if sign else ''}.1f}" for part in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


def patch(params: str) -> str:
    """The parameter that says how wide the units of a mask are; empty for the default."""
    return next((part for part in params.split(",") if part.startswith("patch=")), "")


def name(method: str, params: str) -> str:
    """A method as a user types it, without the patch, which the page says once."""
    kept = [part for part in params.split(",") if part and part != patch(params)]
    return f"{method} ({', '.join(kept)})" if kept else method


def adjustment(params: str) -> str:
    """The parameter that names the adjustment; empty without one."""
    return next((part for part in params.split(",") if part.startswith("adjust=")), "")


def table(run: maskbench.Run) -> pd.DataFrame:
    """One row for each method and ratio of a run."""
    samples = run.samples[run.samples["split"] == "owner_test"]
    shape_alone = run.cells.loc[run.cells["learns_from"] == "masks", "attack"].unique()
    recognized = samples[samples["attack_kind"] == "none"]
    probed = samples[samples["attack"].isin(shape_alone) & (samples["label"] == "target")]
    baselines = {
        (ratio, patch(params), adjustment(params)): outcomes(part)
        for (ratio, params), part in recognized[recognized["method"] == BASELINE].groupby(["ratio", "params"])
    }

    def gain(mine: NDArray[np.float64], method: str, params: str, ratio: float, adjust: str) -> str:
        base = baselines.get((ratio, patch(params), adjust))
        if base is None or (method == BASELINE and adjustment(params) == adjust):
            return "–"
        return shown(difference(mine, base), sign=True)

    rows = []
    for (method, params, ratio), part in recognized.groupby(["method", "params", "ratio"], sort=False, dropna=False):
        mine = outcomes(part)
        same = (probed["method"] == method) & (probed["params"] == params) & (probed["ratio"] == ratio)
        shape = probed[same]
        rows.append(
            {
                "hidden": "–" if pd.isna(ratio) else f"{ratio:.0%}",
                "method": name(method, params),
                "accuracy %": shown(interval(mine, proportion)),
                "gain over random": gain(mine, method, params, ratio, ""),
                "over random with its adjustment": gain(mine, method, params, ratio, adjustment(params))
                if adjustment(params)
                else "–",
                "shape alone %": "–" if shape.empty else shown(interval(outcomes(shape), proportion)),
            }
        )
    order = {"–": 0, "50%": 1, "75%": 2, "90%": 3, "100%": 0}
    return pd.DataFrame(rows).sort_values("hidden", key=lambda column: column.map(order), kind="stable")


def main() -> None:
    """Print a caption and a table for each run."""
    for folder in map(Path, sys.argv[1:]):
        run = maskbench.load(folder)
        found, data = run.provenance, run.provenance["data"]
        print(f"\n### {data['name']}, target {data['target']}, sensitive {data['sensitive'] or '–'}")
        print(f"\nSplits: {data['sizes']}; {found['suite']['seeds']} seeds; device {found['device']}.\n")
        print(to_markdown(table(run)))


if __name__ == "__main__":
    main()
