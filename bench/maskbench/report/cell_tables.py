"""The cells of runs as tables, one for each kind of attack: a row is a cell over seeds, a column is a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from maskbench.metrics.catalogue import FAMILIES
from maskbench.metrics.metric import Family, Metric
from maskbench.plugins.reserved import RECOGNITION
from maskbench.report.hidden import hidden_shares
from maskbench.report.named import NamedRun
from maskbench.results.reading import Value

TEXT = {
    "run": "the run folder",
    "method": "method:parameters",
    "hidden": "share of the picture that is hidden, as measured",
    "attack": "the attack; strongest and oracle are made of the others",
    "infers": "the label that is inferred or recognized",
    "learns from": "what the attack learns from",
    "attacker's data": "share of its own pictures that the attacker uses",
    "split": "owner-train was outsourced; recognition is scored on owner-test",
    "status": "whether the cell ran",
}
"""Column of text → what it says."""

TITLES: Mapping[str, str] = {
    "recognition": "Recognition",
    "restoration": "Restoration attacks",
    "inference": "Inference attacks",
    "matching": "Matching attacks: which raw picture a release is of",
    "linkage": "Matching attacks: which other release is of the same picture",
    "person-linkage": "Matching attacks: which release of another picture is of the same person",
    "membership": "Membership: which raw pictures weights that were handed out come from",
    "masks": "Masks that were withheld, and found",
}
"""Family of metrics → what a table of it is called."""

_ALWAYS = ("method", "attack")
_UNITS = {"share": "%", "share of raw": "%", "share of the image": "%", "1": "", "bit": "bit"}


@dataclass(frozen=True)
class CellTable:
    """Cells of one family.

    Attributes:
        columns: of text, without those that say the same in every row.
        metrics: the measured ones, in the declared order.
        rows: the texts of the columns, and metric → value in the unit of the column.
        same: column → what it says in every row.
    """

    family: Family
    columns: tuple[str, ...]
    metrics: tuple[Metric, ...]
    rows: tuple[tuple[tuple[str, ...], Mapping[str, Value]], ...]
    same: Mapping[str, str]

    @property
    def said_of_all(self) -> str:
        """What every row has in common, in words; empty where there is nothing."""
        said = "; ".join(f"{name} {text}" for name, text in self.same.items())
        return f"In every row: {said}. " if said else ""


def cell_table(runs: Sequence[NamedRun], family: Family, rows: Sequence[pd.DataFrame] | None = None) -> CellTable:
    """The cells of a family.

    Args:
        rows: of each run, the rows of ``cells`` to show; None: those over seeds, and those that did not run.
    """
    chosen = [_over_seeds(run.results.cells) for run in runs] if rows is None else rows
    found = [
        ((run.name, *text), values)
        for run, own in zip(runs, chosen, strict=True)
        for text, values in _rows(run, own, family)
    ]
    names = list(TEXT)
    varied = [len({text[column] for text, _ in found}) > 1 for column in range(len(names))]
    kept = [column for column, name in enumerate(names) if varied[column] or name in _ALWAYS]
    measured = {name for _, values in found for name in values}
    return CellTable(
        family,
        tuple(names[column] for column in kept),
        tuple(metric for metric in FAMILIES[family] if metric.name in measured),
        tuple((tuple(text[column] for column in kept), values) for text, values in found),
        {
            name: found[0][0][column]
            for column, name in enumerate(names)
            if found and column not in kept and found[0][0][column] and (name, len(runs)) != ("run", 1)
        },
    )


def metric_title(metric: Metric) -> str:
    """What the column of a metric is called."""
    unit = _UNITS.get(metric.unit, metric.unit)
    name = metric.name.replace("_", " ").replace("ssim", "SSIM").replace("psnr", "PSNR")
    return f"{name} {unit}" if unit and unit not in name.split() else name


def digits(metric: Metric) -> int:
    """Decimals of its column: one, but where a unit is all there is."""
    return 3 if metric.unit in ("1", "bit") else 1


def _over_seeds(cells: pd.DataFrame) -> pd.DataFrame:
    return cells[cells["seed"].isna() | (cells["status"] != "ok")]


def _rows(run: NamedRun, chosen: pd.DataFrame, family: Family) -> list[tuple[tuple[str, ...], dict[str, Value]]]:
    """Text and metrics of every cell of a family; of those that did not run, the reason."""
    kind = "none" if family == "recognition" else family
    mine = chosen[chosen["attack_kind"] == kind]
    hidden = hidden_shares(run.results.cells)
    scales = {metric.name: 100.0 if _UNITS.get(metric.unit) == "%" else 1.0 for metric in FAMILIES[family]}
    found: dict[tuple[str, ...], dict[str, Value]] = {}
    shares: dict[tuple[str, float | None], str] = {}
    names = ("method", "params", "ratio", "attack", "label", "learns_from", "aux_share", "split", "status", "reason")
    columns = [mine[name].tolist() for name in (*names, "chosen", "metric", "value", "ci_low", "ci_high")]
    for name, params, ratio, attack, label, learns, aux, split, status, reason, chose, metric, *value in zip(
        *columns, strict=True
    ):
        method = f"{name}:{params}" if params else name
        at = (method, None if pd.isna(ratio) else ratio)
        if at not in shares:
            shares[at] = hidden(method, ratio)
        text = (
            method,
            shares[at],
            "recognition" if attack == RECOGNITION else f"{attack} ({chose})" if chose else attack,
            label,
            learns,
            "" if pd.isna(aux) else f"{aux:.0%}",
            split.replace("_", "-"),
            status if status == "ok" else f"{status}: {reason}",
        )
        values = found.setdefault(text, {})
        if status == "ok" and not pd.isna(value[0]) and metric in scales:
            values[metric] = Value(*(scales[metric] * number for number in value))
    return list(found.items())
