"""Where the source of a module lies, without running anything of it."""

from __future__ import annotations

import sys
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path


@cache
def source_file(module: str) -> Path | None:
    """The file of a module, found as an import would find it but without one, which would run the parents' code."""
    parts = module.split(".")
    places: list[str] | None = None
    file: str | None = None
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        loaded = sys.modules.get(name)
        if loaded is not None:
            file, inside = getattr(loaded, "__file__", None), getattr(loaded, "__path__", None)
        else:
            spec = _spec(name, places)
            if spec is None:
                return None
            file, inside = spec.origin, spec.submodule_search_locations
        if depth < len(parts) and inside is None:
            return None
        places = None if inside is None else list(inside)
    return Path(file) if file and file.endswith(".py") else None


def _spec(name: str, places: list[str] | None) -> ModuleSpec | None:
    # Every finder, since an editable install has one of its own.
    found = (finder.find_spec(name, places) for finder in sys.meta_path)
    return next((spec for spec in found if spec is not None), None)
