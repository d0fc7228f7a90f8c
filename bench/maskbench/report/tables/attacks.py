"""Every attack on every method, a table for each kind of attack: the metrics that are shown, on both splits."""

from __future__ import annotations

from functools import partial

import pandas as pd

from maskbench.metrics.catalogue import MAIN
from maskbench.metrics.metric import Family, Metric
from maskbench.report.captions import run_caption
from maskbench.report.cell_tables import CellTable, cell_table, digits, metric_title
from maskbench.report.named import NamedRun
from maskbench.report.parts import Table
from maskbench.report.text import decimal
from maskbench.results.reading import ATTACKS, pooled
from maskbench.runfolder.folder import RunFolder

_CAPTION = (
    "Every {kind} attack on every method. Strongest and oracle are made of the others; over null is {main} minus that "
    "of the same attack on fully masked images. "
)


def _build(kind: Family, run: RunFolder) -> pd.DataFrame:
    table = _cells(kind, run)
    shown = [metric for metric in table.metrics if _is_shown(metric, kind)]
    return pd.DataFrame(
        [
            dict(zip(table.columns, text, strict=True))
            | {metric_title(metric): decimal(values.get(metric.name), digits(metric)) for metric in shown}
            for text, values in table.rows
        ]
    )


def _caption(kind: Family, run: RunFolder) -> str:
    words = _CAPTION.format(kind=kind, main=MAIN[kind].replace("_", " "))
    return run_caption(run) + words + _cells(kind, run).said_of_all


def _cells(kind: Family, run: RunFolder) -> CellTable:
    return cell_table([NamedRun("", run)], kind, [pooled(run.cells)])


def _is_shown(metric: Metric, kind: Family) -> bool:
    return metric.shown or metric.name == f"{MAIN[kind]}_over_null"


TABLES = tuple(Table(f"attacks-{kind}", partial(_build, kind), partial(_caption, kind)) for kind in ATTACKS)
