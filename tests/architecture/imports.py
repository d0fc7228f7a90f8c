"""What a module imports, read from its source: at its top, inside functions and for type checkers alike."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

Graph = Mapping[str, frozenset[str]]
"""Module → the modules that it imports."""


def modules(folder: Path, package: str) -> dict[str, Path]:
    """The modules below a folder that is imported as ``package``: dotted name → file."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        parts = [package, *file.relative_to(folder).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imported(file: Path, package: str) -> set[str]:
    """Dotted names of what a file takes from ``package``: ``from a.b import c`` is ``a.b.c``."""
    return {name for name in _imported(ast.parse(file.read_text(encoding="utf-8"))) if _inside(name, package)}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            beside = node.level == 1 and str(node.module).startswith("_")
            assert node.level == 0 or beside, "an import that does not say its package"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def module_graph(files: Mapping[str, Path], package: str) -> Graph:
    """Which of these modules imports which. A name that is no module counts for the module that it is taken from."""
    return {
        module: frozenset(name if name in files else name.rpartition(".")[0] for name in imported(file, package))
        for module, file in files.items()
    }
