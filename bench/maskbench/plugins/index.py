"""Which plug-ins lie in a folder, read from the text of its modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A class with a ``name``, and the module that it lies in."""

    name: str
    module: str
    file: Path


@dataclass(frozen=True)
class Index:
    """The plug-ins of a folder, and module → reason for what could not be read."""

    entries: tuple[Entry, ...]
    broken: dict[str, str]


@cache
def read_index(package: str, folder: Path) -> Index:
    """Read every module of a package, its subpackages included, without importing one.

    A plug-in is a class at the top level of a module whose ``name`` is a literal, as in
    ``name: ClassVar[str] = "rise"``.
    """
    entries: list[Entry] = []
    broken: dict[str, str] = {}
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        module = ".".join((package, *(part for part in parts if part != "__init__")))
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError) as error:
            broken[module] = f"{type(error).__name__}: {error}"
            continue
        for definition in tree.body:
            for value in _names(definition):
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    entries.append(Entry(value.value, module, file))
                else:
                    broken[module] = f"line {value.lineno}: the name of a plug-in must be a literal string here"
    return Index(tuple(entries), broken)


def _names(definition: ast.stmt) -> Iterator[ast.expr]:
    """The values that a class gives to its class attribute ``name``."""
    if not isinstance(definition, ast.ClassDef):
        return
    for node in definition.body:
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AnnAssign) and "ClassVar" in ast.unparse(node.annotation):
            targets = [node.target]
        else:
            continue
        if node.value is not None and any(isinstance(target, ast.Name) and target.id == "name" for target in targets):
            yield node.value
