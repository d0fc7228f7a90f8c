"""The leakage report as a part of the page."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from maskbench.report.html.shown import ShownTable
from maskbench.report.leakage_report import Section, leakage_report
from maskbench.runfolder.folder import RunFolder


@dataclass(frozen=True)
class LeakageSection:
    """A section of the leakage report: sentences, then tables, each with its title as its caption."""

    name: str
    title: str
    sentences: tuple[str, ...]
    tables: tuple[ShownTable, ...]


def leakage_sections(run: RunFolder) -> dict[str, LeakageSection]:
    """The sections of the leakage report by their names, in the order in which they are read."""
    return {section["name"]: _section(section) for section in leakage_report(run)["sections"]}


def _section(section: Section) -> LeakageSection:
    name = section["name"]
    tables = [
        ShownTable.of(f"{name}-{number}", table["title"], pd.DataFrame(table["rows"], columns=table["columns"]))
        for number, table in enumerate(section["tables"], 1)
    ]
    return LeakageSection(name, section["title"], tuple(section["sentences"]), tuple(filter(None, tables)))
