"""All flags on a run. A comparison of two attacks counts where the lower value lies outside the other's interval."""

from __future__ import annotations

import pkgutil
from collections import Counter
from functools import lru_cache
from importlib import import_module

import pandas as pd

from maskbench.results import flags
from maskbench.results.flags.kind import Flag, FlagKind

_LEVELS = ("warning", "note")


@lru_cache(maxsize=1)
def kinds() -> tuple[FlagKind, ...]:
    """Every kind of flag, warnings first; a module of this package that sets ``FLAGS`` adds its own."""
    found: list[FlagKind] = []
    for module in pkgutil.iter_modules(flags.__path__, prefix=f"{flags.__name__}."):
        found += vars(import_module(module.name)).get("FLAGS", ())
    twice = [mark for mark, count in Counter(kind.mark for kind in found).items() if count > 1]
    if twice:
        raise ValueError(f"Two kinds of flags have the mark {twice[0]}.")
    return tuple(sorted(found, key=lambda kind: (_LEVELS.index(kind.level), kind.name)))


def find_flags(cells: pd.DataFrame) -> list[Flag]:
    """All flags on a run, in the order of ``kinds`` and, within a kind, of the methods."""
    return [flag for kind in kinds() for flag in kind.flags(cells)]
