"""A run's outcomes → the two tidy tables: ``cells`` (one row per cell × metric) and ``samples`` (one per image)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import pandas as pd

from maskbench.artifacts.store import Artifact
from maskbench.data.parties import Label
from maskbench.planning.cell import Cell
from maskbench.planning.matrix import Matrix
from maskbench.plugins.method import Method
from maskbench.plugins.reserved import ORACLE, RECOGNITION, STRONGEST
from maskbench.results import estimates
from maskbench.results.estimates import Estimate
from maskbench.results.result import Result
from maskbench.results.rows import Measure, Member, identity, measured_rows, member, missing_rows, stacked
from maskbench.results.samples import build_samples
from maskbench.results.schema import DERIVED, typed
from maskbench.results.worst_case import FAILED, NONE_RAN, Ensemble


@dataclass(frozen=True)
class Tables:
    """The tidy tables of a run; the large one is built when it is asked for."""

    cells: pd.DataFrame
    build_samples: Callable[[], pd.DataFrame]

    @cached_property
    def samples(self) -> pd.DataFrame:
        """One row for each cell and image, with its outcomes."""
        return self.build_samples()


def assemble(matrix: Matrix, found: Sequence[Result], data: Artifact) -> Tables:
    """Compute all metrics, per seed and over seeds, the worst cases, and what they are beyond the null control.

    Args:
        data: the data artifact: labels of all images; its record has names and classes.
    """
    groups: dict[tuple[Method, str, Label | None, float], list[Result]] = {}
    for result in found:
        cell = result.cell
        groups.setdefault((cell.method, cell.attack_name, cell.label, cell.aux_share), []).append(result)
    null = next(method for method in matrix.methods if method.role == "null")
    record = data.record
    rows: list[dict[str, Any]] = []
    for (method, attack, label, share), group in groups.items():
        base = identity(matrix, record, group[0].cell)
        kind = group[0].cell.attack_kind
        if kind == "masks":
            measure = _found_masks
        elif kind == "none":
            raw = [each for each in found if each.cell.method.role == "raw" and each.cell.attack == RECOGNITION]
            measure = partial(_recognized, _members(raw), len(record["target_classes"]))
        else:
            chance = _members(groups.get((null, attack, label, share), []))
            less = _members(groups.get((method, attack, label, _next_smaller(share, matrix)), []))
            measure = _leaked(kind, label, record, over_null=chance, over_less_data=less)
        members = list(_members(group).values())
        rows += missing_rows(base, group)
        rows += measured_rows(base, members, measure, complete=len(members) == len(group))
    for method in matrix.methods:
        for kind, label in (("restoration", None), ("inference", "sensitive" if record["sensitive"] else "target")):
            rows += _worst_cases(matrix, record, found, method, null, kind, label)
    return Tables(typed(rows), partial(build_samples, matrix, found, data))


def _members(group: Sequence[Result]) -> dict[int, Member]:
    return {result.cell.seed: member(result) for result in group if result.status == "ok"}


def _next_smaller(share: float, matrix: Matrix) -> float | None:
    return max((other for other in matrix.suite.aux_shares if other < share), default=None)


def _recognized(raw: Mapping[int, Member], classes: int, split: str, part: Sequence[Member]) -> list[Estimate]:
    controls = _same_seeds(raw, part)
    return estimates.recognition(stacked(part, split), stacked(controls, split) if controls else None, classes)


def _found_masks(split: str, part: Sequence[Member]) -> list[Estimate]:
    return estimates.found_masks(stacked(part, split))


def _leaked(kind: str, label: Label | None, record: Mapping[str, Any], **references: Mapping[int, Member]) -> Measure:
    """What attacks on a label are measured by: as they are, and over each reference that has the same seeds."""

    def measure(split: str, part: Sequence[Member]) -> list[Estimate]:
        outcomes = stacked(part, split)
        classes = len(record[f"{label}_classes"]) if label else 0
        found = estimates.restoration(outcomes) if kind == "restoration" else estimates.inference(outcomes, classes)
        for name, members in references.items():
            others = _same_seeds(members, part)
            if others:
                found.append(estimates.over(kind, outcomes, stacked(others, split), name))
        return found

    return measure


def _same_seeds(members: Mapping[int, Member], part: Sequence[Member]) -> list[Member]:
    """The members with the seeds of a part; none where one is missing."""
    found = [members[each.seed] for each in part if each.seed in members]
    return found if len(found) == len(part) else []


def _worst_cases(
    matrix: Matrix,
    record: Mapping[str, Any],
    found: Sequence[Result],
    method: Method,
    null: Method,
    kind: str,
    label: Label | None,
) -> list[dict[str, Any]]:
    """Rows of the realizable and the oracle's worst case of one kind, each against the same attacks on the null."""
    ensemble = _ensemble(matrix, found, method, kind, label)
    if not any(ensemble.by_seed.values()):
        return []
    base = identity(matrix, record, Cell(method, RECOGNITION, label, 0, None)) | {"attack_kind": kind}
    if not ensemble.known:
        status, reason = ("failed", FAILED) if ensemble.failed else ("unavailable", NONE_RAN)
        return [{**base, "attack": name, "status": status, "reason": reason} for name in DERIVED]
    control = _ensemble(matrix, found, null, kind, label).like(ensemble.attacks)
    rows = []
    for name, judged in ((STRONGEST, Ensemble.realizable), (ORACLE, Ensemble.oracle)):
        chance = _merged(judged(control)) if control.known else {}
        measure = _leaked(kind, label, record, over_null=chance)
        rows += measured_rows(base | {"attack": name}, judged(ensemble), measure)
    return rows


def _merged(members: Sequence[Member]) -> dict[int, Member]:
    """One member for each seed, with the outcomes of all of its splits."""
    merged: dict[int, Member] = {}
    for each in members:
        before = merged[each.seed].outcomes if each.seed in merged else {}
        merged[each.seed] = Member(each.seed, {**before, **each.outcomes})
    return merged


def _ensemble(matrix: Matrix, found: Sequence[Result], method: Method, kind: str, label: Label | None) -> Ensemble:
    by_seed: dict[int, dict[str, Result]] = {seed: {} for seed in range(matrix.suite.seeds)}
    for result in found:
        cell = result.cell
        of_kind = (cell.attack_kind, cell.label) == (kind, label)
        # What the attacker would have with less data is no part of the worst case.
        if of_kind and cell.method is method and cell.aux_share == 1:
            by_seed[cell.seed][cell.attack_name] = result
    return Ensemble(by_seed)
