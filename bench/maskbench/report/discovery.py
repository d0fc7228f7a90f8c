"""Finding tables and figures: each is found because its module lies in its folder."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import TypeVar

from maskbench.report import figures as figures_folder
from maskbench.report import tables as tables_folder
from maskbench.report.parts import Figure, Table

_Part = TypeVar("_Part", Table, Figure)


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """Every table, by its name: a module of ``tables`` sets ``TABLE``, or ``TABLES`` where it has several."""
    return _by_name({module.__name__: _tables_of(module) for module in _modules(tables_folder)})


@lru_cache(maxsize=1)
def figures() -> tuple[Figure, ...]:
    """Every figure, by its name: a module of ``figures`` sets ``FIGURES``. Loads matplotlib."""
    return _by_name({module.__name__: _set_in(module, "FIGURES") for module in _modules(figures_folder)})


def _tables_of(module: ModuleType) -> tuple[Table, ...]:
    if hasattr(module, "TABLES"):
        return tuple(module.TABLES)
    return (_set_in(module, "TABLE"),)


def _set_in(module: ModuleType, name: str) -> tuple[_Part, ...] | _Part:
    if not hasattr(module, name):
        raise ValueError(f"{module.__name__} sets no {name}: every module of this folder does.")
    return getattr(module, name)


def _by_name(found: dict[str, tuple[_Part, ...]]) -> tuple[_Part, ...]:
    owner: dict[str, str] = {}
    for module, parts in found.items():
        for part in parts:
            if part.name in owner:
                raise ValueError(f"{owner[part.name]} and {module} both write '{part.name}'. Rename one.")
            owner[part.name] = module
    return tuple(sorted((part for parts in found.values() for part in parts), key=lambda part: part.name))


def _modules(package: ModuleType) -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(package.__path__, prefix=f"{package.__name__}.")]
    return [import_module(name) for name in names]
