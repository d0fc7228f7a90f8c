"""What a run left, as it is held in Python."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from maskbench.report.captions import run_caption
from maskbench.report.summary import summarize
from maskbench.report.tables.summary import headline
from maskbench.report.write import write_report_and_figures, write_tables
from maskbench.results.flags.kind import Flag
from maskbench.results.measure import planned_of
from maskbench.runfolder.folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Run:
    """The results of a run.

    Attributes:
        results: everything that the run found.
        path: the folder that holds it, with tables, figures and ``report.html``.
    """

    results: RunFolder
    path: Path

    @property
    def cells(self) -> pd.DataFrame:
        """One row for each cell of the matrix, metric, split and seed; over seeds where ``seed`` is empty."""
        return self.results.cells

    @property
    def samples(self) -> pd.DataFrame:
        """One row for each cell, seed and image: outcomes, and what attacks believe of each class."""
        return self.results.samples

    @property
    def summary(self) -> pd.DataFrame:
        """One row a method: what it keeps and what it leaks, with intervals."""
        return summarize(self.results)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What should not be trusted as it is, and how results are to be read."""
        return self.results.flags

    @property
    def provenance(self) -> dict[str, Any]:
        """Command, suite, data, seeds, versions, hardware, state of the source: the content of ``run.json``."""
        return self.results.provenance

    @property
    def failed(self) -> pd.DataFrame:
        """The cells that failed, with their reasons."""
        planned = planned_of(self.cells)
        return planned[planned["status"] == "failed"]

    def plot(self) -> Figure:
        """Accuracy against leakage to the strongest attack."""
        from maskbench.report.figures.accuracy_against_leakage import draw  # loads matplotlib

        return draw(self.results)

    def report(self) -> None:
        """Write tables, figures and ``report.html`` again, from the folder alone."""
        write_tables(self.results, self.path)
        write_report_and_figures(self.results, self.path)

    def __repr__(self) -> str:
        coverage = self.results.provenance["coverage"]
        return f"Run({str(self.path)!r}: {coverage['ok']} of {sum(coverage.values())} cells ok)"

    def _repr_html_(self) -> str:
        return f"<p>{escape(run_caption(self.results))}</p>{headline(self.results).to_html(index=False)}"


def load(path: str | Path) -> Run:
    """Read the folder that a run left.

    Raises:
        UsageError: it is no run folder, one of another schema, or damaged.
    """
    return Run(RunFolder.read(Path(path)), Path(path))
