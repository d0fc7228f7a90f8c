"""The outcomes of one run, cell by cell, as arrays of seeds and images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskbench.metrics.metric import Family
from maskbench.plugins.reserved import STRONGEST
from maskbench.results.measure import FAMILY
from maskbench.results.reading import HEADLINE_SPLIT
from maskbench.results.schema import CELL, CHOSEN_BY, PROBABILITIES, VALIDATION

NOT_OUTCOMES = (*CELL, "seed", "split", "target_class", PROBABILITIES, *CHOSEN_BY)
"""Columns of ``samples`` that say whose the outcomes are, or what attacks were chosen by."""

_WHOLE = ("number", "truth", "guess")

STATED = np.float16
"""Probabilities are rounded to this type in both runs: a baseline holds no more of them, and their order tells all."""


class CellKey(NamedTuple):
    """A cell, seeds aside; a ratio of None where there is none. Judged on the split where it counts."""

    method: str
    params: str
    ratio: float | None
    attack: str
    attack_kind: str
    label: str
    aux_share: float

    @classmethod
    def of(cls, values: Sequence[Any]) -> CellKey:
        """From the values of the columns ``CELL``."""
        method, params, ratio, *others = values
        return cls(method, params, None if pd.isna(ratio) else float(ratio), *others)

    @property
    def family(self) -> Family:
        """Of its metrics."""
        return FAMILY[self.attack_kind]

    @property
    def method_key(self) -> tuple[str, str, float | None]:
        """Which method, with its parameters and ratio."""
        return (self.method, self.params, self.ratio)

    @property
    def method_label(self) -> str:
        """As a user types it: ``random:patch=2``; the ratio apart."""
        return f"{self.method}:{self.params}" if self.params else self.method


@dataclass(frozen=True)
class CellOutcomes:
    """What one cell got.

    Attributes:
        seeds: in order.
        numbers: of the images, ascending, int64 (images,).
        columns: outcome → (seeds, images); of probabilities (seeds, images, classes).
    """

    seeds: tuple[int, ...]
    numbers: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.generic]]

    def of(self, images: NDArray[np.intp]) -> CellOutcomes:
        """Of some of the images, by their places."""
        columns = {name: values[:, images] for name, values in self.columns.items()}
        return CellOutcomes(self.seeds, self.numbers[images], columns)


def outcomes(cells: pd.DataFrame, samples: pd.DataFrame) -> dict[CellKey, CellOutcomes]:
    """The outcomes of every cell that ran, and of the strongest attack on each method.

    Of attacks, those on the split where leakage counts.
    """
    counted = samples["split"] == samples["label"].map(HEADLINE_SPLIT)
    found = dict(_cells(samples[counted & (samples["split"] != VALIDATION)]))
    found.update(_strongest(cells, found))
    return found


def _cells(samples: pd.DataFrame) -> Iterator[tuple[CellKey, CellOutcomes]]:
    if samples.empty:
        return
    codes = _codes(samples)
    seeds = samples["seed"].to_numpy(np.int64)
    numbers = samples["number"].to_numpy(np.int64)
    order = np.lexsort((numbers, seeds, codes))
    codes, seeds, numbers = codes[order], seeds[order], numbers[order]
    names = [name for name in map(str, samples) if name not in NOT_OUTCOMES and name != "number"]
    columns = {name: samples[name].to_numpy(np.float64, na_value=np.nan)[order] for name in names}
    stated = None
    if PROBABILITIES in samples:
        stated = samples[PROBABILITIES].astype(object).where(samples[PROBABILITIES].notna(), None).to_numpy()[order]
    starts = np.flatnonzero(np.r_[True, (codes[1:] != codes[:-1]) | (seeds[1:] != seeds[:-1])])
    ends = np.r_[starts[1:], len(codes)]
    first = np.flatnonzero(np.r_[True, codes[starts][1:] != codes[starts][:-1]])
    rows = samples[list(CELL)].iloc[order[starts[first]]].itertuples(index=False, name=None)
    for values, low, high in zip(rows, first, np.r_[first[1:], len(starts)], strict=True):
        slices = [slice(start, end) for start, end in zip(starts[low:high], ends[low:high], strict=True)]
        of_cell = [int(seeds[each.start]) for each in slices]
        yield CellKey.of(values), _stacked(of_cell, slices, numbers, columns, stated)


def _codes(samples: pd.DataFrame) -> NDArray[np.int64]:
    """A number for each cell: the same for rows of the same cell."""
    codes = np.zeros(len(samples), dtype=np.int64)
    for name in CELL:
        part, values = pd.factorize(samples[name], use_na_sentinel=False)
        codes = codes * len(values) + part
        codes = np.unique(codes, return_inverse=True)[1]
    return codes


def _stacked(
    seeds: Sequence[int],
    slices: Sequence[slice],
    numbers: NDArray[np.int64],
    columns: Mapping[str, NDArray[np.float64]],
    stated: NDArray[np.object_] | None,
) -> CellOutcomes:
    """Seeds as rows; where they were scored on different images, of those that all have."""
    common = numbers[slices[0]]
    whole, shape = slice(slices[0].start, slices[-1].stop), (len(slices), len(common))
    places: Any = np.arange(whole.start, whole.stop)
    if any(len(common) != each.stop - each.start for each in slices) or (numbers[whole].reshape(shape) != common).any():
        for each in slices[1:]:
            common = np.intersect1d(common, numbers[each], assume_unique=True)
        places = np.concatenate([each.start + np.flatnonzero(np.isin(numbers[each], common)) for each in slices])
        shape = (len(slices), len(common))
    found: dict[str, NDArray[np.generic]] = {}
    for name, values in columns.items():
        rows = values[places].reshape(shape)
        if not np.isnan(rows).all():
            found[name] = rows.astype(np.int64) if name in _WHOLE else rows
    if stated is not None and len(common) and all(row is not None for row in stated[places]):
        flat = np.concatenate(stated[places].tolist()).astype(STATED).astype(np.float32)
        found[PROBABILITIES] = flat.reshape(*shape, -1)
    return CellOutcomes(tuple(seeds), common, found)


def _strongest(cells: pd.DataFrame, found: Mapping[CellKey, CellOutcomes]) -> Iterator[tuple[CellKey, CellOutcomes]]:
    """What the attack got that each seed chose, seed by seed."""
    rows = cells[(cells["attack"] == STRONGEST) & cells["seed"].notna() & (cells["status"] == "ok")]
    rows = rows[rows["split"] == rows["label"].map(HEADLINE_SPLIT)].drop_duplicates([*CELL, "seed"])
    chosen: dict[CellKey, dict[int, str]] = {}
    for *values, seed, attack in rows[[*CELL, "seed", "chosen"]].itertuples(index=False, name=None):
        chosen.setdefault(CellKey.of(values), {})[int(seed)] = attack
    for key, attacks in chosen.items():
        parts = [_one_seed(found.get(key._replace(attack=attack)), seed) for seed, attack in sorted(attacks.items())]
        there = [part for part in parts if part is not None]
        if len(there) == len(parts):
            yield key, _joined(there)


def _one_seed(cell: CellOutcomes | None, seed: int) -> CellOutcomes | None:
    if cell is None or seed not in cell.seeds:
        return None
    row = cell.seeds.index(seed)
    return CellOutcomes((seed,), cell.numbers, {name: values[row : row + 1] for name, values in cell.columns.items()})


def _joined(parts: Sequence[CellOutcomes]) -> CellOutcomes:
    common = parts[0].numbers
    for part in parts[1:]:
        if not np.array_equal(part.numbers, common):
            common = np.intersect1d(common, part.numbers, assume_unique=True)
    names = [name for name in parts[0].columns if all(name in part.columns for part in parts)]
    rows = {
        name: np.concatenate([part.columns[name][:, np.isin(part.numbers, common)] for part in parts]) for name in names
    }
    return CellOutcomes(tuple(part.seeds[0] for part in parts), common, rows)
