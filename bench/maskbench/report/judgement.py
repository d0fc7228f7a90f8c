"""What the tables of a run say: its tidy tables, the flags on them, and the headline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from maskbench.report.summary import Row, summarize
from maskbench.results.assemble import Tables
from maskbench.results.flag import Flag
from maskbench.results.flags import find_flags


@dataclass(frozen=True)
class Judgement:
    """Tables of a run, and what follows from them alone; each part is made when it is asked for."""

    tables: Tables

    @property
    def cells(self) -> pd.DataFrame:
        """The tidy cells."""
        return self.tables.cells

    @cached_property
    def flags(self) -> list[Flag]:
        """All flags, warnings first."""
        return find_flags(self.cells)

    @cached_property
    def summary(self) -> list[Row]:
        """The headline, one row a method."""
        return summarize(self.cells, self.flags)

    @property
    def inferred(self) -> str:
        """Which label's inference is the leakage: the sensitive one, where there is one."""
        return "sensitive" if (self.cells["sensitive"] != "").any() else "target"
