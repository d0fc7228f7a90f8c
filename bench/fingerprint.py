"""What code an artifact is made of: the first-party modules it runs, transitively, and the libraries they import.

A cache that keys on a plug-in's own file, or on parameters alone, serves stale results when an imported helper
changes. Here a module's imports are read from its syntax tree, followed into every first-party module, and what was
reached is hashed without comments, docstrings and layout. ``from package import name`` is followed to the module
that defines ``name``, so that re-exporting packages do not tie everything to everything.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

FIRST_PARTY = ("bench", "methods", "attacks")
_INSTALLED = frozenset(("site-packages", "dist-packages"))


def digest(value: Any) -> str:
    """Sha-256 of a JSON-able value, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def closure(roots: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Follow the imports of some modules.

    Args:
        roots: dotted names of modules; their packages are first-party, with bench, methods, attacks, and with any
            source that no installer put where it is (what a plug-in imports from beside it).

    Returns:
        module → hash of its code, for each first-party module reached; library → installed version, for each other
        package that they import (the standard library left out).
    """
    return _closure(frozenset(roots))


@cache
def _closure(roots: frozenset[str]) -> tuple[dict[str, str], dict[str, str]]:
    own = frozenset(FIRST_PARTY) | {root.split(".", 1)[0] for root in roots}
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
    """The file of a module, found without importing it (an import would run the parents' code)."""
    top, *rest = module.split(".")
    loaded = sys.modules.get(top)
    if loaded is None or not hasattr(loaded, "__path__"):
        if loaded is not None and not rest:
            file = getattr(loaded, "__file__", None)  # a module that was made in memory has none
            return Path(file) if file else None
        spec = importlib.util.find_spec(top)
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or [])
        if not places:
            return Path(str(spec.origin)) if not rest else None
    else:
        places = list(loaded.__path__)
    for place in places:
        base = Path(place, *rest)
        for candidate in (base / "__init__.py", base.with_suffix(".py")):
            if candidate.is_file():
                return candidate
    return None


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
