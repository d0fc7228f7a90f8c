"""Pairs of runs drawn from the outcomes of real ones: the same code under other seeds, with or without a planted drop.

``outcomes.parquet`` holds the outcomes of small runs of 24 seeds on three data sets (no pictures): 16 px, 4 epochs, the
methods raw, full-mask, random and pixelate (on digits saliency too), the attacks mean-fill, restorer, adaptive and
mask-only. ``make_outcomes.py`` makes it; the outcomes on cifar10-jpeg are earlier ones, without class probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from maskbench.gate.causes import Causes
from maskbench.gate.differences import difference
from maskbench.gate.matching import Match, Planned
from maskbench.gate.outcomes import CellKey, CellOutcomes, outcomes
from maskbench.gate.rows import rows
from maskbench.gate.tolerances import Tolerances
from maskbench.gate.verdicts import Judged, judged
from maskbench.metrics.catalogue import metric_of
from maskbench.results.schema import PROBABILITIES, typed

POOL = Path(__file__).parent / "outcomes.parquet"
CLASSES: Mapping[str, Mapping[str, int]] = {
    "digits": {"target": 2, "sensitive": 10},
    "cifar10-jpeg": {"target": 10, "sensitive": 0},
    "utkface64": {"target": 2, "sensitive": 5},
}
"""Data set → label → its number of classes."""

SEEDS = 24
IMAGES = 256
STEPS = 16
"""Of log-odds, to one: what probabilities are rounded to, within a byte."""

BY_CLASS = ("worst_class_auc", "worst_class_tpr")
_CONTROLS = {"raw": "raw", "full-mask": "null"}

Pool = Mapping[CellKey, CellOutcomes]


@cache
def pool(dataset: str) -> Pool:
    """The outcomes of every cell under all seeds."""
    found = pd.read_parquet(POOL, filters=[("dataset", "==", dataset)]).drop(columns="dataset")
    stated = found[PROBABILITIES].map(lambda steps: 1 / (1 + np.exp(-steps.astype(np.float64) / STEPS)), na_action="ignore")
    return outcomes(typed([]), found.assign(**{PROBABILITIES: stated}))


@dataclass(frozen=True)
class Drop:
    """A planted fault: hits turn to misses (or the other way round for leakage) on the same images under every seed.

    Attributes:
        size: of the metric.
        metric: that it is a drop of.
        attack: of the cell; empty: of all cells of the method of its kind.
    """

    method: str
    kind: str
    label: str
    attack: str
    size: float
    metric: str = ""

    def plant(self, key: CellKey, cell: CellOutcomes, rng: np.random.Generator) -> CellOutcomes:
        """The cell's outcomes with the fault, where it is the cell's."""
        mine = (key.method, key.attack_kind, key.label) == (self.method, self.kind, self.label)
        if not mine or self.attack not in ("", key.attack):
            return cell
        columns = dict(cell.columns)
        if self.kind == "restoration":
            each = self.size * (1 + rng.standard_normal(len(cell.numbers)))
            return CellOutcomes(cell.seeds, cell.numbers, columns | {"ssim_hole": columns["ssim_hole"] + each})
        if self.metric in BY_CLASS:
            value = difference(cell, cell, metric_of("inference", self.metric), 0).baseline
            hit = rng.random(len(cell.numbers)) < self.size / (1 - value)
            return CellOutcomes(cell.seeds, cell.numbers, columns | {PROBABILITIES: _surely(columns, hit)})
        right = np.asarray(columns["correct"], dtype=np.float64)
        if self.kind == "none":
            hit = rng.random(right.shape[1]) < self.size / max(right.mean(), 1e-9)
            return CellOutcomes(cell.seeds, cell.numbers, columns | {"correct": np.where(hit, 0.0, right)})
        more = self.size * (1 - np.asarray(columns["prior_correct"], dtype=np.float64).mean())
        hit = rng.random(right.shape[1]) < more / max(1 - right.mean(), 1e-9)
        return CellOutcomes(cell.seeds, cell.numbers, columns | {"correct": np.where(hit, 1.0, right)})


def _surely(columns: Mapping[str, np.ndarray], hit: np.ndarray) -> np.ndarray:
    """Probabilities, (seeds, images, classes), where the true class of the images that are hit is above all others."""
    told = hit[:, None] & (np.arange(columns[PROBABILITIES].shape[2]) == columns["truth"][0][:, None])
    return np.where(told, 1.0, columns[PROBABILITIES])


def pair(
    dataset: str,
    baseline: int,
    current: int,
    rng: np.random.Generator,
    *,
    drop: Drop | None = None,
    resample: bool = True,
) -> list[Judged]:
    """Compare two runs of the same code whose seeds, and images, are drawn.

    Args:
        baseline, current: how many seeds each has; none in common.
        resample: draw the images too, the same for both runs.
    """
    order = rng.permutation(SEEDS)
    seeds = {"old": order[:baseline], "new": order[baseline : baseline + current]}
    images: dict[int, np.ndarray] = {}
    faults = int(rng.integers(2**31))
    drawn: dict[str, dict[CellKey, CellOutcomes]] = {"old": {}, "new": {}}
    for key, cell in pool(dataset).items():
        count = len(cell.numbers)
        chosen = images.setdefault(count, rng.integers(count, size=count) if resample else np.arange(count))
        for side, names in seeds.items():
            part = _drawn(cell, names, chosen)
            if drop is not None and side == "new":
                # The same images in every cell: their luck hangs on the fault, not on the cell.
                part = drop.plant(key, part, np.random.default_rng(faults))
            drawn[side][key] = part
    matches = [Match(key, _planned(key), _planned(key), "compare") for key in drawn["old"]]
    found = rows(matches, drawn["old"], drawn["new"], Tolerances(), Causes({}, {}), CLASSES[dataset])
    return judged(found)


def _drawn(cell: CellOutcomes, seeds: np.ndarray, images: np.ndarray) -> CellOutcomes:
    places = [cell.seeds.index(int(seed)) for seed in seeds]
    columns = {name: values[np.ix_(places, images)] for name, values in cell.columns.items()}
    return CellOutcomes(tuple(int(seed) for seed in seeds), np.arange(len(images)), columns)


def _planned(key: CellKey) -> Planned:
    return Planned(_CONTROLS.get(key.method, "method"), {0: "ok"}, "", {})
