"""Cells of two runs that were scored alike, together: their metrics are computed at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskbench.gate.outcomes import CellOutcomes

_MOST = 2**17
"""Outcomes of one kind that are taken together: what is computed of them stays in the processor's cache."""

_Pair = tuple[CellOutcomes, CellOutcomes]
_Columns = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Alike:
    """Cells with the same seeds, images and true classes, stacked.

    Attributes:
        places: of the cells among those that were given.
        seeds: of the baseline and of the current run.
        before, after: outcome → (cells × seeds, images), a cell's seeds in a row; of probabilities (…, classes).
    """

    places: tuple[int, ...]
    seeds: tuple[tuple[int, ...], tuple[int, ...]]
    before: _Columns
    after: _Columns


def alike(pairs: Sequence[_Pair]) -> Iterator[Alike]:
    """Put cells together, of the images that both runs of a cell have; those without any are left out."""
    groups: dict[Any, list[int]] = {}
    shared: list[_Pair] = []
    for place, pair in enumerate(pairs):
        both = _on_shared_images(*pair)
        shared.append(both)
        if len(both[0].numbers):
            groups.setdefault(tuple(map(_kind, both)), []).append(place)
    for places in groups.values():
        before, after = shared[places[0]]
        columns = (*before.columns.values(), *after.columns.values())
        width = max((np.size(values[0]) for values in columns), default=1)
        step = max(1, _MOST // (width * max(len(before.seeds), len(after.seeds))))
        for start in range(0, len(places), step):
            part = places[start : start + step]
            stacked = (_stacked([shared[place][side] for place in part]) for side in (0, 1))
            yield Alike(tuple(part), (before.seeds, after.seeds), *stacked)


def _on_shared_images(before: CellOutcomes, after: CellOutcomes) -> _Pair:
    if np.array_equal(before.numbers, after.numbers):
        return before, after
    _, *places = np.intersect1d(before.numbers, after.numbers, assume_unique=True, return_indices=True)
    return before.of(places[0]), after.of(places[1])


def _kind(cell: CellOutcomes) -> Any:
    """What cells have to agree in to be stacked. Metrics read the true classes of the first seed alone."""
    shapes = tuple((name, values.shape, values.dtype.char) for name, values in cell.columns.items())
    truth = cell.columns.get("truth")
    return cell.seeds, shapes, b"" if truth is None else truth.tobytes()


def _stacked(cells: Sequence[CellOutcomes]) -> _Columns:
    return {name: np.concatenate([cell.columns[name] for cell in cells]) for name in cells[0].columns}
