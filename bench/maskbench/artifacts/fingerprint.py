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
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

FIRST_PARTY = "maskbench"
_INSTALLED = frozenset(("site-packages", "dist-packages"))


def digest(value: Any) -> str:
    """Sha-256 of a JSON-able value, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def closure(roots: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Follow the imports of some modules.

    Args:
        roots: dotted names of modules. Their packages are first-party, with maskbench and with any source that no
            installer put where it is (what a plug-in imports from beside it).

    Returns:
        module → hash of its code, for each first-party module reached; library → installed version, for each other
        package that they import (the standard library left out).
    """
    return _closure(frozenset(roots))


@cache
def _closure(roots: frozenset[str]) -> tuple[dict[str, str], dict[str, str]]:
    own = {FIRST_PARTY} | {root.split(".", 1)[0] for root in roots}
    waiting, sources, libraries = list(roots), {}, set()
    while waiting:
        module = waiting.pop()
        if module in sources:
            continue
        sources[module] = _read(module)[0]
        for base, name in _read(module)[1]:
            if base.split(".", 1)[0] in own or _editable(base, name):
                waiting.append(_definer(base, name))
            else:
                libraries.add(base.split(".", 1)[0])
    versions = {name: found for name in sorted(libraries) if (found := _version(name))}
    return dict(sorted(sources.items())), versions


@cache
def _editable(base: str, name: str | None) -> bool:
    """Whether an import is of source that no installer put where it is: no version tells when it changes."""
    if base.split(".", 1)[0] in sys.stdlib_module_names:
        return False
    paths = (_path(module) for module in (base, *([f"{base}.{name}"] if name else [])))
    return any(path and path.suffix == ".py" and not _INSTALLED.intersection(path.parts) for path in paths)


@cache
def _path(module: str) -> Path | None:
    """The source of a module, found as an import would find it but without one, which would run the parents' code."""
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


@cache
def _read(module: str) -> tuple[str, tuple[tuple[str, str | None], ...]]:
    """Hash of a module's code, and its imports as (module, name or None)."""
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(f"first-party module '{module}' has no source file")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports: list[tuple[str, str | None]] = []
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.extend((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.split(".")
                anchor = anchor[: len(anchor) - node.level + 1]
                base = ".".join([*anchor, base] if base else anchor)
            imports.extend((base, alias.name) for alias in node.names)
        _strip_docstring(node)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(imports)


def _strip_docstring(node: ast.AST) -> None:
    body = getattr(node, "body", None)
    if (
        isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and body
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        node.body = body[1:]


def _definer(base: str, name: str | None) -> str:
    """The module that ``from base import name`` really takes its name from."""
    if name is None:
        return base
    if _path(f"{base}.{name}") is not None:
        return f"{base}.{name}"
    path = _path(base)
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
