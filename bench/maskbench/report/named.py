"""A run as a page calls it."""

from __future__ import annotations

from dataclasses import dataclass

from maskbench.report.titles import about
from maskbench.runfolder.folder import RunFolder


@dataclass(frozen=True)
class NamedRun:
    """A run and its name on the page.

    Attributes:
        name: of its folder, where several runs are shown; else of its suite.
        results: everything that the run found.
    """

    name: str
    results: RunFolder

    @property
    def title(self) -> str:
        """What every number of the run is of."""
        return about(self.results)
