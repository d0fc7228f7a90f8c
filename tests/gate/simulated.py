"""Pairs of runs drawn from the outcomes of real ones: the same code under other seeds, with or without a planted drop.

``outcomes.parquet`` holds the outcomes of small runs of 24 seeds on three data sets (no pictures): 16 px, 4 epochs, the
methods raw, full-mask, random and pixelate (on digits saliency too), the attacks mean-fill, restorer, adaptive and
mask-only. ``make_outcomes.py`` makes it; the outcomes on cifar10-jpeg are earlier ones, without class probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from maskbench.gate.causes import Causes
from maskbench.gate.differences import differences
from maskbench.gate.matching import Match, Planned
from maskbench.gate.outcomes import CellKey, CellOutcomes, outcomes
from maskbench.gate.rows import Row, rows
from maskbench.gate.tolerances import Tolerances
from maskbench.gate.verdicts import Judged, judged
from maskbench.metrics.catalogue import metric_of
from maskbench.metrics.metric import Metric, Outcomes
from maskbench.results.schema import PROBABILITIES, typed
from scipy.optimize import brentq

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
    stated = found[PROBABILITIES].map(
        lambda steps: 1 / (1 + np.exp(-steps.astype(np.float64) / STEPS)), na_action="ignore"
    )
    return outcomes(typed([]), found.assign(**{PROBABILITIES: stated}))


@dataclass(frozen=True)
class Drop:
    """A planted fault: hits turn to misses (or the other way round for leakage) on the same images under every seed.

    Of a metric of single classes, an attack is sure of a share of one class: of the one that most seeds name.

    Attributes:
        size: of the metric, on average over draws of images.
        metric: that it is a drop of.
        attack: of the cell; empty: of all cells of the method of its kind.
    """

    method: str
    kind: str
    label: str
    attack: str
    size: float
    metric: str = ""

    def of(self, key: CellKey) -> bool:
        """Whether the fault is the cell's."""
        mine = (key.method, key.attack_kind, key.label) == (self.method, self.kind, self.label)
        return mine and self.attack in ("", key.attack)

    def plant(self, whole: CellOutcomes, cell: CellOutcomes, rng: np.random.Generator) -> CellOutcomes:
        """The outcomes of a cell with the fault.

        Args:
            whole: outcomes of the cell under all seeds and on all images, which tell how many images a drop takes: the
                drawn ones may have more to lose or less.
        """
        columns = dict(cell.columns)
        if self.kind == "restoration":
            each = self.size * (1 + rng.standard_normal(len(cell.numbers)))
            return replace(cell, columns=columns | {"ssim_hole": columns["ssim_hole"].astype(np.float64) + each})
        luck = rng.random(len(cell.numbers))
        if self.metric in BY_CLASS:
            return _told(cell, luck, *_share_of_class(whole, self.metric, self.size))
        right = np.asarray(columns["correct"], dtype=np.float64)
        level = float(np.asarray(whole.columns["correct"], dtype=np.float64).mean())
        if self.kind == "none":
            return replace(cell, columns=columns | {"correct": np.where(luck < self.size / level, 0.0, right)})
        more = self.size * (1 - np.asarray(whole.columns["prior_correct"], dtype=np.float64).mean())
        return replace(cell, columns=columns | {"correct": np.where(luck < more / (1 - level), 1.0, right)})


def _told(cell: CellOutcomes, luck: np.ndarray, label: int, share: float) -> CellOutcomes:
    """Probabilities where members of one class, a share of them by their luck, stand above all other images."""
    told = (luck < share) & (cell.columns["truth"][0] == label)
    stated = cell.columns[PROBABILITIES].copy()
    stated[:, told, label] = 1.0
    return replace(cell, columns={**cell.columns, PROBABILITIES: stated})


_CALIBRATING = 150
_SHARES: dict[tuple[int, str, float], tuple[int, float]] = {}


def _share_of_class(whole: CellOutcomes, name: str, size: float) -> tuple[int, float]:
    """The class that most seeds name, and the share of it to tell for a metric that rises by ``size`` on average."""
    if (id(whole), name, size) not in _SHARES:
        metric, rng = metric_of("inference", name), np.random.default_rng(1)
        count = len(whole.numbers)
        draws = [
            (_drawn(whole, rng.permutation(SEEDS)[:4], rng.integers(count, size=count)), rng.random(count))
            for _ in range(_CALIBRATING)
        ]

        def rise(label: int, share: float) -> float:
            pairs = [(cell, _told(cell, luck, label, share)) for cell, luck in draws]
            found = [each[name] for each in differences(pairs, [metric], 0)]
            return float(np.mean([each.current - each.baseline for each in found]))

        label = _class_of_most(whole, metric)
        share = brentq(lambda share: rise(label, share) - size, 0.0, 1.0, xtol=0.005)
        _SHARES[id(whole), name, size] = label, float(share)
    return _SHARES[id(whole), name, size]


def _class_of_most(whole: CellOutcomes, metric: Metric) -> int:
    selected = (metric.selected or metric.averaged)(Outcomes(whole.columns))
    assert selected is not None
    truth = whole.columns["truth"][0].astype(np.int64)
    named = [int(truth[members > 0][0]) for members in selected[..., 0]]
    return int(np.bincount(named).argmax())


@dataclass(frozen=True)
class Pair:
    """Two runs of the same code whose seeds, and images, are drawn.

    Attributes:
        faults: seed of the images that a planted fault falls on: the same ones in every cell.
        rows: method → its rows, without a fault.
    """

    dataset: str
    old: Pool
    new: Pool
    faults: int
    rows: Mapping[str, Sequence[Row]]

    def judged(self, drop: Drop | None = None) -> list[Judged]:
        """Compare the runs, the second with a planted fault; only the rows of its method are made again."""
        found = dict(self.rows)
        if drop is not None:
            old = {key: cell for key, cell in self.old.items() if key.method == drop.method}
            new = {key: self._faulty(key, drop) if drop.of(key) else self.new[key] for key in old}
            found |= _rows(self.dataset, old, new)
        return judged([row for part in found.values() for row in part])

    def only(self, method: str) -> Pair:
        """With the outcomes of one method, and all rows: what a drop of that method takes."""
        old, new = ({key: cell for key, cell in side.items() if key.method == method} for side in (self.old, self.new))
        return replace(self, old=old, new=new)

    def _faulty(self, key: CellKey, drop: Drop) -> CellOutcomes:
        return drop.plant(pool(self.dataset)[key], self.new[key], np.random.default_rng(self.faults))


def pair(dataset: str, baseline: int, current: int, rng: np.random.Generator, *, resample: bool = True) -> Pair:
    """Draw two runs.

    Args:
        baseline, current: how many seeds each has; none in common.
        resample: draw the images too, the same for both runs.
    """
    order = rng.permutation(SEEDS)
    images: dict[int, np.ndarray] = {}
    faults = int(rng.integers(2**31))
    old, new = {}, {}
    for key, cell in pool(dataset).items():
        count = len(cell.numbers)
        chosen = images.setdefault(count, rng.integers(count, size=count) if resample else np.arange(count))
        old[key] = _drawn(cell, order[:baseline], chosen)
        new[key] = _drawn(cell, order[baseline : baseline + current], chosen)
    return Pair(dataset, old, new, faults, _rows(dataset, old, new))


def _rows(dataset: str, old: Pool, new: Pool) -> dict[str, list[Row]]:
    matches = [Match(key, _planned(key), _planned(key), "compare") for key in old]
    found: dict[str, list[Row]] = {key.method: [] for key in old}
    for row in rows(matches, old, new, Tolerances(), Causes({}, {}), CLASSES[dataset]):
        found[row.key.method].append(row)
    return found


def _drawn(cell: CellOutcomes, seeds: np.ndarray, images: np.ndarray) -> CellOutcomes:
    places = np.array([cell.seeds.index(int(seed)) for seed in seeds])
    columns = {name: values[np.ix_(places, images)] for name, values in cell.columns.items()}
    return CellOutcomes(tuple(int(seed) for seed in seeds), np.arange(len(images)), columns)


def _planned(key: CellKey) -> Planned:
    return Planned(_CONTROLS.get(key.method, "method"), {0: "ok"}, "", {})
