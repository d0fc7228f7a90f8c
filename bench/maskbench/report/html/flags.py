"""The flags of a run in words, those of one kind together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import pandas as pd

from maskbench.report.hidden import hidden_shares
from maskbench.results.flags.kind import Flag
from maskbench.runfolder.folder import RunFolder


@dataclass(frozen=True)
class Flagged:
    """All flags of one kind.

    Attributes:
        seen: where, and what was seen there.
    """

    mark: str
    level: str
    title: str
    action: str
    seen: tuple[tuple[str, str], ...]


def flagged(run: RunFolder) -> list[Flagged]:
    """The flags by their kind: warnings first."""
    hidden = hidden_shares(run.cells)
    found = []
    for mark, together in groupby(run.flags, key=lambda flag: flag.mark):
        alike = list(together)
        seen = tuple((_where(flag, hidden), flag.finding) for flag in alike)
        found.append(Flagged(mark, alike[0].level, alike[0].title, alike[0].action, seen))
    return sorted(found, key=lambda kind: kind.level != "warning")


def _where(flag: Flag, hidden: Callable[[str, float], str]) -> str:
    if not flag.method:
        return "the whole run"
    share = "" if pd.isna(flag.ratio) else f" ({hidden(flag.method, flag.ratio)} hidden)"
    attack = f", attack {flag.attack}" if flag.attack else ""
    return f"{flag.method}{share}{attack}" + (f", {flag.label} label" if flag.label else "")
