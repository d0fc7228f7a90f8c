"""What several parts of a report read of a run is made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from maskbench.runfolder.folder import RunFolder

_Made = TypeVar("_Made")
_KEPT = 2  # runs: one page, or two side by side


def once_for_a_run(make: Callable[[RunFolder], _Made]) -> Callable[[RunFolder], _Made]:
    """Remember what was made of the last runs; nobody may change it.

    Runs are told apart by identity: their tables have no hash.
    """
    last: list[tuple[RunFolder, _Made]] = []

    @wraps(make)
    def remembered(run: RunFolder) -> _Made:
        for known, made in last:
            if known is run:
                return made
        made = make(run)
        last[:] = [*last[-(_KEPT - 1) :], (run, made)]
        return made

    return remembered
