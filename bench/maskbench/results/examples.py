"""Examples of what the methods released and what the attacks made of it, so that a reader sees what numbers mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from maskbench.data.parties import Split
from maskbench.metrics.catalogue import MAIN
from maskbench.planning.cell import Cell
from maskbench.results.execution import Execution
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import StoredRelease
from maskbench.stages.restoration import StoredRestoration
from maskbench.stages.scored import Scored
from maskbench.stages.scored_restoration import ScoredRestoration

EXAMPLES = 2
"""Images shown of each run, of the outsourced ones that leakage is measured on."""

_SPLIT: Split = "owner_train"


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        method: ``name:parameters`` without those of the adjustment, which changes no picture.
        example: the number of the image among the examples.
        shows: what it is. A mask is white where pixels are kept.
        attack: what restored it; empty for the others.
        score: of a restoration, SSIM in the hole.
        pixels: uint8 (C, H, W), C = 1 or 3.
    """

    method: str
    example: int
    shows: Literal["raw", "released", "mask", "restored"]
    attack: str
    score: float | None
    pixels: NDArray[np.uint8]


def examples(execution: Execution) -> list[Example]:
    """The examples of every method under the first seed: raw, released, mask, and each restoration."""
    found: dict[str, list[Cell]] = {}
    for cell in execution.matrix.cells:
        if _is_shown(cell, execution):
            cells = found.setdefault(cell.method.label(leave_out=("adjust",)), [])
            if cell.attack_name not in {known.attack_name for known in cells}:
                cells.append(cell)
    return [picture for name, cells in found.items() for picture in _of_method(name, cells, execution)]


def _is_shown(cell: Cell, execution: Execution) -> bool:
    if not isinstance(cell.scoring, ScoredRestoration) or (cell.seed, cell.aux_share) != (0, 1):
        return False
    return execution.outcomes[execution.plan.key(cell.scoring)].source in ("computed", "stored")


def _of_method(name: str, cells: list[Cell], execution: Execution) -> Iterator[Example]:
    dataset = Dataset(execution.data)
    positions = dataset.scored(_SPLIT, execution.matrix.suite.settings.scored)[:EXAMPLES]
    stored = StoredRelease(execution.executor.read(execution.plan.key(_scoring(cells[0]).trial.release("owner"))))
    release, raw = stored.release(_SPLIT, positions), dataset.bytes(_SPLIT)[positions]
    released, masks = release.image_bytes, None if release.mask_bytes is None else release.mask_bytes * 255
    for example in range(len(positions)):
        yield Example(name, example, "raw", "", None, raw[example].numpy())
        yield Example(name, example, "released", "", None, released[example].numpy())
        if masks is not None:
            yield Example(name, example, "mask", "", None, masks[example].numpy())
    for cell in cells:
        scoring = _scoring(cell)
        scored = Scored(execution.executor.read(execution.plan.key(scoring)))
        scores = scored.columns(_SPLIT)[MAIN["restoration"]]
        keys = [execution.plan.key(each) for each in scoring.restorations]
        restored = scoring.restored(scored, [StoredRestoration(execution.executor.read(key)) for key in keys], _SPLIT)
        for example in range(len(positions)):
            score = float(scores[example])
            shown = None if np.isnan(score) else score
            yield Example(name, example, "restored", cell.attack_name, shown, restored[example].numpy())


def _scoring(cell: Cell) -> ScoredRestoration:
    """What scores a cell that is shown."""
    if not isinstance(cell.scoring, ScoredRestoration):
        raise TypeError(f"{cell.attack_name} restores nothing")
    return cell.scoring
