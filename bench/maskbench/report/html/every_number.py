"""The page's full table: every cell of the runs over seeds, one table for each kind of attack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maskbench.metrics.catalogue import FAMILIES
from maskbench.report.cell_tables import TEXT, TITLES, CellTable, cell_table, digits, metric_title
from maskbench.report.html.plot import numbers
from maskbench.report.named import NamedRun


def every_number(runs: Sequence[NamedRun]) -> list[dict[str, Any]]:
    """A table for each kind that occurs, as JSON values: ``title``, ``columns``, ``rows``, ``same``.

    A number is a list of value and interval.
    """
    found = (cell_table(runs, family) for family in FAMILIES)
    return [_as_json(table) for table in found if table.rows]


def _as_json(table: CellTable) -> dict[str, Any]:
    texts = [{"title": name, "explains": TEXT[name], "numeric": False} for name in table.columns]
    metrics = [
        {
            "title": metric_title(metric),
            "explains": f"{metric.description} {metric.direction.capitalize()} is better for the owner.",
            "numeric": True,
            "digits": digits(metric),
        }
        for metric in table.metrics
    ]
    return {
        "name": table.family,
        "title": TITLES.get(table.family, table.family),
        "same": table.said_of_all,
        "columns": [*texts, *metrics],
        "rows": [
            [*text, *(numbers(values.get(metric.name)) for metric in table.metrics)] for text, values in table.rows
        ],
    }
