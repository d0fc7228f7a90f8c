"""What code an artifact is made of: the first-party modules it runs, transitively, and the libraries they import.

A cache that keys on a plug-in's own file, or on parameters alone, serves stale results when an imported helper
changes. Here a module's imports are read from its syntax tree, followed into every first-party module, and what was
reached is hashed without comments, docstrings and layout. ``from package import name`` is followed to the module
that defines ``name``, so that re-exporting packages do not tie everything to everything.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from maskbench.artifacts.inline import inline_code
from maskbench.artifacts.modules import source_file
from maskbench.artifacts.syntax import FIRST_PARTY, Import, code_hash, imports

_INSTALLED = frozenset(("site-packages", "dist-packages"))


def digest(value: Any) -> str:
    """Sha-256 of a JSON-able value, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def closure(roots: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Follow the imports of some modules, and of classes that stand in no file.

    Args:
        roots: dotted names of modules, or what :func:`maskbench.artifacts.inline.code_root` returned. The packages of
            modules are first-party, with maskbench and with any source that no installer put where it is (what a
            plug-in imports from beside it).

    Returns:
        module → hash of its code, for each first-party module reached, and the same for each definition that stands in
        no file; library → installed version, for each other package that they import (the standard library left out).

    Raises:
        UsageError: the code of a class that stands in no file cannot be told.
    """
    modules: set[str] = set()
    definitions: dict[str, str] = {}
    followed: set[Import] = set()
    for root in roots:
        if ":" in root:
            found = inline_code(root)
            definitions |= found.hashes
            followed |= found.imports
        else:
            modules.add(root)
    sources, libraries = _closure(frozenset(modules), frozenset(followed))
    return dict(sorted({**sources, **definitions}.items())), libraries


@cache
def _closure(roots: frozenset[str], followed: frozenset[Import]) -> tuple[dict[str, str], dict[str, str]]:
    own = {FIRST_PARTY} | {root.split(".", 1)[0] for root in roots}
    sources: dict[str, str] = {}
    libraries: set[str] = set()
    waiting: list[str] = list(roots)

    def follow(found: Iterable[Import]) -> None:
        for base, name in found:
            if base.split(".", 1)[0] in own or _editable(base, name):
                waiting.append(_definer(base, name))
            else:
                libraries.add(base.split(".", 1)[0])

    follow(followed)
    while waiting:
        module = waiting.pop()
        if module not in sources:
            sources[module], found = _read(module)
            follow(found)
    versions = {name: number for name in sorted(libraries) if (number := _version(name))}
    return sources, versions


@cache
def _editable(base: str, name: str | None) -> bool:
    """Whether an import is of source that no installer put where it is: no version tells when it changes."""
    if base.split(".", 1)[0] in sys.stdlib_module_names:
        return False
    paths = (source_file(module) for module in (base, *([f"{base}.{name}"] if name else [])))
    return any(path and path.suffix == ".py" and not _INSTALLED.intersection(path.parts) for path in paths)


@cache
def _read(module: str) -> tuple[str, tuple[Import, ...]]:
    """Hash of a module's code, and its imports. A package that loads its names lazily imports them in a stub."""
    path = source_file(module)
    if path is None:
        raise ModuleNotFoundError(f"first-party module '{module}' has no source file")
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = _parsed(path)
    found = list(imports(tree, package))
    stub = path.with_suffix(".pyi")
    if path.name == "__init__.py" and stub.is_file():
        found += imports(_parsed(stub), package)
    return code_hash(tree), tuple(found)


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _definer(base: str, name: str | None) -> str:
    """The module that ``from base import name`` really takes its name from."""
    if name is None:
        return base
    if source_file(f"{base}.{name}") is not None:
        return f"{base}.{name}"
    path = source_file(base)
    if path is not None and path.name == "__init__.py":
        for other, imported in _read(base)[1]:
            if imported == name and other != base:
                return _definer(other, name)
    return base


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


@cache
def _version(package: str) -> str | None:
    if package in sys.stdlib_module_names:
        return None
    for distribution in _distributions().get(package, [package]):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "unknown"
