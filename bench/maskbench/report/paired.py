"""What the methods of a run have, measured on the same images and resampled together: how differences are judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskbench.metrics.catalogue import MAIN, metric_of
from maskbench.metrics.intervals import resampled_means
from maskbench.metrics.metric import Family, Outcomes
from maskbench.plugins.reserved import RECOGNITION, STRONGEST
from maskbench.report.once import once_for_a_run
from maskbench.report.summary import summarize
from maskbench.results.reading import HEADLINE_SPLIT, Value, grouped
from maskbench.results.schema import METHOD
from maskbench.runfolder.folder import RunFolder

RESAMPLES = 1000
_NORMAL_WIDTH = 3.92  # standard deviations between the ends of a 95 % interval
_CELL = ["attack", "attack_kind", "label", "seed", "split"]

Leakage = Literal["inference", "restoration"]
"""By which kind of attack leakage is measured: advantage of the strongest inference, SSIM in the hole."""


@dataclass(frozen=True)
class Resampled:
    """One quantity of every method of a run.

    Attributes:
        values: (methods,), NaN where it was not measured.
        draws: (resamples, methods), the values under resampling.
        paired: (methods,), whether the draws are of the same images and seeds as those of the others.
    """

    values: NDArray[np.float64]
    draws: NDArray[np.float64]
    paired: NDArray[np.bool_]

    def difference(self, one: int, other: int) -> Value:
        """One method's value minus another's, with its 95 % interval."""
        return between(self, one, self, other)


def between(one: Resampled, row: int, other: Resampled, other_row: int) -> Value:
    """A method's quantity minus the same or another quantity of a method, with its 95 % interval."""
    low, high = np.quantile(one.draws[:, row] - other.draws[:, other_row], (0.025, 0.975))
    return Value(float(one.values[row] - other.values[other_row]), float(low), float(high))


@once_for_a_run
def paired_methods(run: RunFolder) -> PairedMethods:
    """The methods of a run, resampled once for all that is said of them."""
    return PairedMethods(run)


class PairedMethods:
    """The methods of a run, one a row, and what was measured of them, resampled together.

    Where the folder has no samples of a method, or they are of other images, its draws come from its interval as if
    from a normal distribution, apart from all others: its differences are then judged with more caution than they need.

    Attributes:
        rows: as ``summarize`` gives them.
    """

    def __init__(self, run: RunFolder) -> None:
        self.rows = summarize(run)
        self._run = run

    @cached_property
    def accuracy(self) -> Resampled:
        """Accuracy of the recognizer, on owner-test."""
        rows = self._run.cells[self._run.cells["attack"] == RECOGNITION]
        return self._resampled("accuracy", rows, "recognition", "accuracy", "owner_test")

    @cached_property
    def shape(self) -> Resampled:
        """Accuracy on the target label of the classifier that sees masks alone, on owner-test."""
        cells = self._run.cells
        rows = cells[(cells["learns_from"] == "masks") & (cells["label"] == "target") & (cells["aux_share"] == 1)]
        return self._resampled("shape", rows, "inference", "accuracy", "owner_test")

    @cached_property
    def inference(self) -> Resampled:
        """Advantage of the strongest inference, where it counts."""
        return self._strongest("inference", HEADLINE_SPLIT[self._run.inferred])

    @cached_property
    def restoration(self) -> Resampled:
        """SSIM in the hole of the strongest restoration, on owner-train."""
        return self._strongest("restoration", HEADLINE_SPLIT[""])

    def leakage(self, kind: Leakage) -> Resampled:
        """The leakage to a kind of attack."""
        return self.inference if kind == "inference" else self.restoration

    def compared(self, kind: Leakage) -> list[int]:
        """The methods of which accuracy and leakage are known, controls among them.

        A method that only its masks' shape was attacked of is none of them: what its pixels leak is not known.
        """
        attacked = (self.rows[f"{kind}_status"] == "attacked").to_numpy()
        known = np.isfinite(self.accuracy.values) & np.isfinite(self.leakage(kind).values) & attacked
        return [int(place) for place in np.flatnonzero(known)]

    def _strongest(self, kind: Leakage, split: str) -> Resampled:
        cells = self._run.cells
        rows = cells[(cells["attack"] == STRONGEST) & (cells["attack_kind"] == kind)]
        return self._resampled(kind, rows.assign(attack=rows["chosen"]), kind, MAIN[kind], split)

    def _resampled(self, column: str, rows: pd.DataFrame, family: Family, metric: str, split: str) -> Resampled:
        """A column of the summary; ``rows`` are the cells that say, seed by seed, whose outcomes it is made of."""
        summary = self.rows
        values = summary[column].to_numpy(np.float64)
        deviations = (summary[f"{column}_high"] - summary[f"{column}_low"]).to_numpy(np.float64) / _NORMAL_WIDTH
        normal = np.random.default_rng(0).standard_normal((RESAMPLES, len(values)))
        draws = values + np.nan_to_num(deviations) * normal
        paired = np.zeros(len(values), dtype=np.bool_)
        own = rows[(rows["metric"] == metric) & (rows["split"] == split) & rows["seed"].notna()]
        outcomes = {
            place: part for place, part in self._outcomes(own, family, metric).items() if values[place] == values[place]
        }
        if outcomes:
            ends = np.cumsum([part.shape[-1] for part in outcomes.values()])[:-1]
            joined = np.concatenate(list(outcomes.values()), axis=-1)
            joined = joined[:, ~np.isnan(joined).any(axis=(0, 2))]
            if joined.shape[1]:
                means = resampled_means(joined, RESAMPLES, population=int(split == "owner_train"))
                statistic = metric_of(family, metric).statistic
                for place, part in zip(outcomes, np.split(means, ends, axis=-1), strict=True):
                    draws[:, place], paired[place] = statistic(part), True
        return Resampled(values, draws, paired)

    def _outcomes(self, rows: pd.DataFrame, family: Family, metric: str) -> dict[int, NDArray[np.float64]]:
        """Method → what is averaged, (seeds, images, k), of the methods that have the same images and seeds."""
        samples = self._run.samples
        if samples.empty:
            return {}
        samples = samples[(samples["aux_share"] == 1) & samples["attack"].isin(rows["attack"].unique())]
        if samples.empty or rows.empty:
            return {}  # of columns without values, pandas knows no types to merge by
        samples = samples.merge(rows[[*METHOD, *_CELL]], on=[*METHOD, *_CELL])
        theirs = {tuple(map(str, key)): part for key, part in grouped(samples, *METHOD)}
        seeds = {tuple(map(str, key)): set(part["seed"]) for key, part in grouped(rows, *METHOD)}
        found: dict[bytes, dict[int, NDArray[np.float64]]] = {}
        for place, (method, _) in enumerate(grouped(self._run.cells, *METHOD)):
            key = tuple(map(str, method))  # NaN, of a method without a ratio, equals nothing
            if key not in theirs or set(theirs[key]["seed"]) != seeds[key]:
                continue
            part = theirs[key].sort_values(["seed", "number"])
            shape = len(seeds[key]), -1
            if len(part) % shape[0]:
                continue
            names = [str(name) for name in part if pd.api.types.is_numeric_dtype(part[name])]
            columns = {name: part[name].to_numpy(np.float64).reshape(shape) for name in names}
            averaged = metric_of(family, metric).averaged(Outcomes(columns))
            if averaged is not None:
                images = part[["seed", "number"]].to_numpy(np.int64).tobytes()
                found.setdefault(images, {})[place] = averaged
        return max(found.values(), key=len, default={})
