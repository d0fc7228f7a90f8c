"""docs/run-folder.md names every column, table, figure and flag of a run folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from maskbench.metrics.catalogue import FAMILIES
from maskbench.report.write import figures, tables
from maskbench.results.flags.find import kinds
from maskbench.results.schema import COLUMNS, SCHEMA_VERSION
from maskbench.results.timings import COLUMNS as TIMINGS

PAGE = (Path(__file__).parents[2] / "docs" / "run-folder.md").read_text(encoding="utf-8")


def named(heading: str) -> list[str]:
    """The names in the first column of the table under a heading."""
    section = re.split(r"^## ", PAGE.split(f"\n## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_every_column_of_cells_is_there() -> None:
    assert sorted(named("cells")) == sorted(COLUMNS)


def test_every_table_and_figure_is_there() -> None:
    assert sorted(named("Tables and figures")) == sorted(
        [*(f"tables/{table.name}" for table in tables()), *(f"figures/{figure.name}" for figure in figures())]
    )


def test_every_outcome_of_a_restoration_is_there() -> None:
    assert {metric.name for metric in FAMILIES["restoration"] if metric.measure} <= set(named("samples"))


@pytest.mark.parametrize("name", TIMINGS)
def test_every_column_of_timings_is_there(name: str) -> None:
    assert f"`{name}`" in PAGE.split("\n## timings and flags\n")[1]


def test_every_flag_is_there() -> None:
    found = re.findall(r"^\| ([A-Z]) \| (warning|note) \| (.*) \|$", PAGE, re.MULTILINE)
    assert sorted(found) == sorted((kind.mark, kind.level, kind.title) for kind in kinds())


def test_the_version_is_the_one_that_is_written() -> None:
    assert f"This is version {SCHEMA_VERSION}." in PAGE
