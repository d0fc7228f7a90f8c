"""All flags on a run. A comparison of two attacks counts where the lower value lies outside the other's interval."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module

import pandas as pd

from maskbench.results import flags
from maskbench.results.flags.kind import Flag, FlagKind

_LEVELS = ("warning", "note")
_NO_FLAGS = (f"{flags.__name__}.find", f"{flags.__name__}.kind")


@lru_cache(maxsize=1)
def kinds() -> tuple[FlagKind, ...]:
    """Every kind of flag, warnings first: each module of this package sets ``FLAGS``.

    Raises:
        ValueError: one sets none, or two have the same mark or name.
    """
    found: list[FlagKind] = []
    owner: dict[str, str] = {}
    for module in pkgutil.iter_modules(flags.__path__, prefix=f"{flags.__name__}."):
        if module.name in _NO_FLAGS:
            continue
        declared = vars(import_module(module.name)).get("FLAGS")
        if declared is None:
            raise ValueError(f"{module.name} sets no FLAGS: every file of this folder is a flag or several.")
        for kind in declared:
            for what in (f"mark {kind.mark}", f"name '{kind.name}'"):
                if what in owner:
                    raise ValueError(f"Flags of {owner[what]} and {module.name} have the same {what}. Change one.")
                owner[what] = module.name
        found += declared
    return tuple(sorted(found, key=lambda kind: (_LEVELS.index(kind.level), kind.name)))


def find_flags(cells: pd.DataFrame) -> list[Flag]:
    """All flags on a run, in the order of ``kinds`` and, within a kind, of the methods."""
    return [flag for kind in kinds() for flag in kind.flags(cells)]
