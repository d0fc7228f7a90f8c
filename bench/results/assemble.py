"""A run's outcomes → the two tidy tables: ``cells`` (one row per cell × metric) and ``samples`` (one per image)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from bench.executors.local import MISSING, Outcome
from bench.matrix import Attack, Cell, Matrix
from bench.plan import Plan
from bench.plugins.attack import RestorationAttack
from bench.plugins.method import Method
from bench.results import estimates
from bench.results.estimates import Estimate, Outcomes
from bench.store import Artifact

SCHEMA_VERSION = 1
WORST_CASE = "worst-case"
SPLITS = ("owner_train", "owner_test")
"""Where a cell is reported; attacker-validation is the attacker's own and only serves to choose an attack."""


@dataclass(frozen=True)
class Result:
    """A cell and what became of it: its outcomes by split and column, or a reason why there are none."""

    cell: Cell
    status: str
    reason: str
    key: str
    artifact: Artifact | None

    @property
    def validation(self) -> float:
        """The score by which the attacker, without seeing the owner's pictures, ranks its attacks."""
        return float(self.artifact.record["validation"])

    def columns(self, split: str) -> Outcomes:
        """Column → (images,) on a split; empty where the cell is not scored there."""
        prefix = f"{split}/"
        return {
            name.removeprefix(prefix): tensor.numpy()
            for name, tensor in self.artifact.tensors.items()
            if name.startswith(prefix)
        }


@dataclass(frozen=True)
class Tables:
    """The tidy tables of a run; the large one is built when it is asked for."""

    cells: pd.DataFrame
    build_samples: Callable[[], pd.DataFrame]

    @cached_property
    def samples(self) -> pd.DataFrame:
        """One row for each cell and image, with its outcomes."""
        return self.build_samples()


def results(
    matrix: Matrix, plan: Plan, outcomes: Mapping[str, Outcome], read: Callable[[str], Artifact]
) -> list[Result]:
    """Match every cell with the outcome of its scoring stage."""
    found = []
    for cell in matrix.cells:
        if cell.scoring is None:
            found.append(Result(cell, "unavailable", cell.unavailable or "", "", None))
            continue
        key = plan.key(cell.scoring)
        outcome = outcomes[key]
        if outcome.source in MISSING:
            found.append(Result(cell, outcome.source, outcome.reason, key, None))
        else:
            found.append(Result(cell, "ok", "", key, read(key)))
    return found


def assemble(matrix: Matrix, found: Sequence[Result], record: Mapping[str, Any]) -> Tables:
    """Compute all metrics, per seed and over seeds, and the realizable worst cases.

    Args:
        record: the record of the data artifact: name, labels, classes.
    """
    groups: dict[tuple[Any, ...], list[Result]] = {}
    for result in found:
        groups.setdefault((result.cell.method, result.cell.attack, result.cell.label), []).append(result)
    controls = [result for result in found if result.cell.method.role == "raw" and result.cell.attack is None]
    raw = {result.cell.seed: result for result in controls if result.status == "ok"}
    rows: list[dict[str, Any]] = []
    for (method, attack, label), members in groups.items():
        base = _identity(matrix, record, method, attack, label)
        rows += _rows(base, members, raw, record)
    for method in matrix.methods:
        rows += _worst_cases(matrix, record, method, found, raw)
    return Tables(_typed(pd.DataFrame(rows)), partial(_all_samples, matrix, record, found))


def _all_samples(matrix: Matrix, record: Mapping[str, Any], found: Sequence[Result]) -> pd.DataFrame:
    parts = [_samples(result, matrix, record) for result in found if result.status == "ok"]
    samples = pd.concat(parts) if parts else pd.DataFrame()
    identity = [name for name in _COLUMNS if name in samples.columns]
    outcomes = sorted(set(samples.columns) - set(identity))
    return samples[[*identity, *outcomes]].reset_index(drop=True)


def _identity(
    matrix: Matrix, record: Mapping[str, Any], method: Method, attack: Attack | None, label: str | None
) -> dict[str, Any]:
    parameters = method.label(leave_out=("ratio",)).partition(":")[2]
    ratio = method.promised_ratio()
    return {
        "suite": matrix.suite.name,
        "dataset": record["name"],
        "target": record["target"],
        "sensitive": record["sensitive"] or "",
        "recognizer": matrix.suite.settings.recognizer.partition("@")[0],
        "method": method.name,
        "params": parameters,
        "ratio": np.nan if ratio is None else ratio,
        "attack": attack.label() if attack else "none",
        "attack_kind": attack.kind if attack else "none",
        "label": label or "",
        "probe": "shape" if getattr(attack, "shape_probe", False) else "",
    }


def _rows(
    base: dict[str, Any],
    members: Sequence[Result],
    raw: Mapping[int, Result],
    record: Mapping[str, Any],
    chosen: str = "",
) -> list[dict[str, Any]]:
    """Rows of one cell for each seed and, where every seed is there, over seeds (seed empty)."""
    rows: list[dict[str, Any]] = []
    for result in members:
        if result.status != "ok":
            rows.append(
                {
                    **base,
                    "seed": result.cell.seed,
                    "status": result.status,
                    "reason": result.reason,
                    "stage_key": result.key,
                }
            )
    done = [result for result in members if result.status == "ok"]
    for split in SPLITS:
        scored = [result for result in done if result.columns(split)]
        for part in [[result] for result in scored] + ([scored] if len(scored) == len(members) else []):
            pooled = part is scored
            for estimate in _estimates(part, split, raw, record):
                rows.append(
                    {
                        **base,
                        "seed": None if pooled else part[0].cell.seed,
                        "split": split,
                        **_values(estimate),
                        "status": "ok",
                        "chosen": chosen,
                        "stage_key": "" if pooled else part[0].key,
                    }
                )
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


def _estimates(
    part: Sequence[Result], split: str, raw: Mapping[int, Result], record: Mapping[str, Any]
) -> list[Estimate]:
    stacked = _stacked(part, split)
    cell = part[0].cell
    if cell.attack is None:
        controls = [raw[result.cell.seed] for result in part if result.cell.seed in raw]
        paired = _stacked(controls, split) if len(controls) == len(part) else None
        return estimates.recognition(stacked, paired, len(record["target_classes"]))
    if isinstance(cell.attack, RestorationAttack):
        return estimates.restoration(stacked)
    return estimates.inference(stacked, len(record[f"{cell.label}_classes"]))


def _stacked(part: Sequence[Result], split: str) -> Outcomes:
    tables = [result.columns(split) for result in part]
    return {name: np.stack([table[name] for table in tables]) for name in tables[0]}


def _worst_cases(
    matrix: Matrix,
    record: Mapping[str, Any],
    method: Method,
    found: Sequence[Result],
    raw: Mapping[int, Result],
) -> list[dict[str, Any]]:
    """The realizable worst case of a method, for each kind of attack: chosen for each seed on attacker-validation."""
    rows = []
    mine = [result for result in found if result.cell.method is method and result.cell.attack is not None]
    inferred = "sensitive" if record["sensitive"] else "target"
    for kind, label in (("restoration", None), ("inference", inferred)):
        of_kind = [result for result in mine if result.cell.attack.kind == kind and result.cell.label == label]
        if not of_kind:
            continue
        best, missing = [], False
        for seed in range(matrix.suite.seeds):
            candidates = [result for result in of_kind if result.cell.seed == seed]
            usable = [result for result in candidates if result.status == "ok"]
            missing |= any(result.status == "failed" for result in candidates) or not usable
            if usable:
                best.append(max(usable, key=lambda result: result.validation))
        base = _identity(matrix, record, method, None, label) | {"attack": WORST_CASE, "attack_kind": kind}
        if missing:
            # The attack that failed could have been the worst one, so what is left is not the worst case.
            reason = "an attack failed, so the worst case is not known"
            rows.append({**base, "status": "failed", "reason": reason})
        else:
            chosen = ", ".join(dict.fromkeys(result.cell.attack.label() for result in best))
            rows += _rows(base, best, raw, record, chosen)
    return rows


def _samples(result: Result, matrix: Matrix, record: Mapping[str, Any]) -> pd.DataFrame:
    base = _identity(matrix, record, result.cell.method, result.cell.attack, result.cell.label)
    parts = []
    for split in SPLITS:
        columns = result.columns(split)
        if columns:
            # In the order of their names: an artifact from the store has forgotten the order it was made in.
            parts.append(pd.DataFrame({**dict(sorted(columns.items())), "split": split}))
    frame = pd.concat(parts)
    for position, (name, value) in enumerate({**base, "seed": result.cell.seed}.items()):
        frame.insert(position, name, value)
    return frame


_COLUMNS = {
    "suite": "string",
    "dataset": "string",
    "target": "string",
    "sensitive": "string",
    "recognizer": "string",
    "method": "string",
    "params": "string",
    "ratio": "float64",
    "attack": "string",
    "attack_kind": "string",
    "label": "string",
    "probe": "string",
    "seed": "Int64",
    "split": "string",
    "metric": "string",
    "direction": "string",
    "value": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "n": "Int64",
    "seeds": "Int64",
    "status": "string",
    "reason": "string",
    "chosen": "string",
    "stage_key": "string",
    "schema_version": "Int64",
}


def _typed(cells: pd.DataFrame) -> pd.DataFrame:
    cells = cells.reindex(columns=list(_COLUMNS)).assign(schema_version=SCHEMA_VERSION)
    for name, kind in _COLUMNS.items():
        cells[name] = cells[name].astype(kind)
        if kind == "string":
            cells[name] = cells[name].fillna("")
    return cells
