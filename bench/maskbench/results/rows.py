"""Per-image outcomes → rows of ``cells``: what a row belongs to, for each seed and over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskbench.models.recognizers import recognizer_label
from maskbench.planning.cell import Cell
from maskbench.planning.matrix import Matrix
from maskbench.results.estimates import Estimate, Outcomes
from maskbench.results.result import Result
from maskbench.results.schema import SPLITS


@dataclass(frozen=True)
class Member:
    """What one seed adds to a group of rows.

    Attributes:
        outcomes: split → column → (images,).
        chosen: the attack that was chosen, where one was.
        key: of the artifact that holds the outcomes, where one does.
    """

    seed: int
    outcomes: Mapping[str, Outcomes]
    chosen: str = ""
    key: str = ""


Measure = Callable[[str, Sequence[Member]], list[Estimate]]
"""From a split and the members to be taken together to their estimates."""


def member(result: Result, chosen: str = "", splits: Sequence[str] = SPLITS) -> Member:
    """The outcomes of a cell that ran, on some of the splits."""
    outcomes = {split: result.columns(split) for split in splits}
    return Member(
        result.cell.seed, {split: columns for split, columns in outcomes.items() if columns}, chosen, result.key
    )


def stacked(part: Sequence[Member], split: str) -> Outcomes:
    """Column → (seeds, images), of the columns that all members have: chosen attacks may differ from seed to seed."""
    tables = [each.outcomes[split] for each in part]
    names = [name for name in tables[0] if all(name in table for table in tables)]
    return {name: np.stack([table[name] for table in tables]) for name in names}


def identity(matrix: Matrix, record: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    """The columns that say what a row of a cell belongs to."""
    method, plugin = cell.method, cell.plugin
    ratio = method.promised_ratio()
    return {
        "suite": matrix.suite.name,
        "dataset": record["name"],
        "target": record["target"],
        "sensitive": record["sensitive"] or "",
        "recognizer": recognizer_label(matrix.suite.settings.recognizer),
        "method": method.name,
        "params": method.label(leave_out=("ratio",)).partition(":")[2],
        "ratio": np.nan if ratio is None else ratio,
        "role": method.role,
        "attack": cell.attack_name,
        "attack_kind": cell.attack_kind,
        "label": cell.label or "",
        "probe": "shape" if plugin and plugin.learns_from == "masks" else "",
        "learns_from": plugin.learns_from if plugin else "",
        "aux_share": cell.aux_share,
    }


def missing_rows(base: Mapping[str, Any], group: Sequence[Result]) -> list[dict[str, Any]]:
    """A row with the reason for every cell that did not run."""
    return [
        {
            **base,
            "seed": result.cell.seed,
            "status": result.status,
            "reason": result.reason,
            "stage_key": result.key,
        }
        for result in group
        if result.status != "ok"
    ]


def measured_rows(
    base: Mapping[str, Any], members: Sequence[Member], measure: Measure, complete: bool = True
) -> list[dict[str, Any]]:
    """A row for each split, metric and seed and, where no seed is missing, over seeds (seed empty)."""
    rows: list[dict[str, Any]] = []
    for split in SPLITS:
        scored = [each for each in members if split in each.outcomes]
        if not scored:
            continue
        for part in [[each] for each in scored] + ([scored] if complete else []):
            pooled = part is scored
            rows += [
                {
                    **base,
                    "seed": None if pooled else part[0].seed,
                    "split": split,
                    **_values(estimate),
                    "status": "ok",
                    "chosen": ", ".join(dict.fromkeys(each.chosen for each in part)),
                    "stage_key": "" if pooled else part[0].key,
                }
                for estimate in measure(split, part)
            ]
    return rows


def _values(estimate: Estimate) -> dict[str, Any]:
    found = estimate.interval
    return {
        "metric": estimate.metric,
        "direction": estimate.direction,
        "value": found.value,
        "ci_low": found.low,
        "ci_high": found.high,
        "n": found.n,
        "seeds": found.seeds,
    }
