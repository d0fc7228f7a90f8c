"""What a run found, cell by cell and image by image: all that its numbers are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maskbench.executors.executor import MISSING, StageOutcome
from maskbench.models.recognizers import recognizer_label
from maskbench.planning.cell import Cell
from maskbench.planning.matrix import Matrix
from maskbench.plugins.method import Method
from maskbench.results.execution import Execution
from maskbench.results.schema import CELL, CHOSEN_BY, PROBABILITIES, SCORED_SPLITS, VALIDATION, gain_for, score_for
from maskbench.stages.scored import Scored


@dataclass(frozen=True)
class Collected:
    """Everything that was planned, and every outcome of it.

    Attributes:
        planned: one row a cell and seed: what it is, ``status`` (ok, failed, unavailable), ``reason``, ``stage_key``.
        samples: one row a cell, seed and image that was scored, or that attacks were compared on.
    """

    planned: pd.DataFrame
    samples: pd.DataFrame


def collect(execution: Execution) -> Collected:
    """Match every cell with the outcome of its scoring stage."""
    record, plan = execution.data.record, execution.plan
    names = np.asarray(record["target_classes"])[execution.data.tensors["target"].numpy()]
    planned, samples = [], []
    for cell in execution.matrix.cells:
        key = "" if cell.scoring is None else plan.key(cell.scoring)
        status, reason = _status(cell, execution.outcomes.get(key))
        row = {**identity(execution.matrix, record, cell), "seed": cell.seed}
        planned.append({**row, "status": status, "reason": reason, "stage_key": key})
        if status == "ok":
            samples.append(_samples(row, Scored(execution.executor.read(key)), names))
    return Collected(pd.DataFrame(planned), joined(samples))


def identity(matrix: Matrix, record: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    """The columns that say what a cell is."""
    plugin = cell.plugin
    return {
        "suite": matrix.suite.name,
        "dataset": record["name"],
        "target": record["target"],
        "sensitive": record["sensitive"] or "",
        "recognizer": recognizer_label(matrix.suite.settings.recognizer),
        **method_identity(cell.method),
        "role": cell.method.role,
        "attack": cell.attack_name,
        "attack_kind": cell.attack_kind,
        "label": cell.label or "",
        "learns_from": plugin.learns_from if plugin else "",
        "aux_share": cell.aux_share,
    }


def method_identity(method: Method) -> dict[str, Any]:
    """The columns that tell methods apart."""
    ratio = method.promised_ratio()
    params = method.label(leave_out=("ratio",)).partition(":")[2]
    return {"method": method.name, "params": params, "ratio": np.nan if ratio is None else ratio}


def _status(cell: Cell, outcome: StageOutcome | None) -> tuple[str, str]:
    if outcome is None:
        return "unavailable", cell.unavailable or ""
    return (outcome.source, outcome.reason) if outcome.source in MISSING else ("ok", "")


def _samples(row: Mapping[str, Any], scored: Scored, names: np.ndarray) -> pd.DataFrame:
    """The rows of one cell and seed; columns in the order of their names, since artifacts forget theirs."""
    parts = []
    for split in (split for split in SCORED_SPLITS if split in scored.splits):
        columns: dict[str, Any] = {name: tensor.numpy() for name, tensor in sorted(scored.columns(split).items())}
        probabilities = scored.probabilities(split)
        if probabilities is not None:
            columns[PROBABILITIES] = list(probabilities.numpy())
        parts.append(pd.DataFrame({**columns, "split": split}))
    if row["aux_share"] == 1:
        parts += _validation(scored)
    frame = pd.concat(parts, ignore_index=True)
    frame["target_class"] = names[frame["number"].to_numpy()]
    return frame.assign(**{name: row[name] for name in (*CELL, "seed")})


def _validation(scored: Scored) -> list[pd.DataFrame]:
    """What the cell's attack was judged by on pictures whose labels the attacker has, for each split it may serve."""
    found: dict[str, Any] = {}
    for split in SCORED_SPLITS:
        judged = scored.validation_scores(split)
        if judged is not None:
            numbers, scores = judged
            found |= {"number": numbers.numpy(), score_for(split): scores.numpy().astype(np.float64)}
            gains = scored.validation_gains(split)
            if gains is not None:
                found[gain_for(split)] = gains.numpy()
    return [pd.DataFrame({**found, "split": VALIDATION})] if found else []


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The samples of several cells, or of several shards, as one table with its columns in their order."""
    if not parts:
        return pd.DataFrame(columns=[*CELL, "seed", "split", "number", "target_class"])
    samples = pd.concat(parts, ignore_index=True)
    first = [*CELL, "seed", "split", "number", "target_class"]
    last = [name for name in (PROBABILITIES, *CHOSEN_BY) if name in samples]
    return samples[[*first, *sorted(set(map(str, samples)) - set(first) - set(last)), *last]]
