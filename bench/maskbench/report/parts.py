"""What a report is made of: tables and figures of a run folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from maskbench.runfolder.folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


@dataclass(frozen=True)
class Table:
    """A table of a run; one without rows is not written.

    Attributes:
        name: of its file.
        build: the rows, as text or numbers in the form in which they are shown.
        caption: what a reader has to know.
    """

    name: str
    build: Callable[[RunFolder], pd.DataFrame]
    caption: Callable[[RunFolder], str]


@dataclass(frozen=True)
class Figure:
    """A figure of a run; ``draw`` returns None where there is nothing to show.

    Attributes:
        name: of its files.
    """

    name: str
    draw: Callable[[RunFolder], Drawing | None]
