"""What code says, read from its syntax tree: a hash of it without comments, docstrings and layout; and its imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator

FIRST_PARTY = "maskbench"

Import = tuple[str, str | None]
"""``import module`` is (module, None), ``from module import name`` is (module, name)."""

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def code_hash(tree: ast.AST) -> str:
    """Sha-256 of what runs; docstrings are taken out of the tree."""
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and node.body and _is_text(node.body[0]):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def imports(tree: ast.AST, package: str) -> Iterator[Import]:
    """The imports anywhere in a tree; ``package`` is what relative ones start from.

    ``import maskbench as mb`` counts as imports of what is used of it, ``mb.Release``: else any plug-in that is written
    so would depend on the whole engine.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == FIRST_PARTY:
                    yield from used_of(tree, alias.asname or alias.name, FIRST_PARTY)
                else:
                    yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.split(".")
                anchor = anchor[: len(anchor) - node.level + 1]
                base = ".".join([*anchor, base] if base else anchor)
            yield from ((base, alias.name) for alias in node.names)


def used_of(tree: ast.AST, name: str, module: str) -> Iterator[Import]:
    """What a tree uses of a module that it calls ``name``: its attributes, or all of it where it is handed on."""
    owners = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
            yield module, node.attr
        elif isinstance(node, ast.Name) and node.id == name and id(node) not in owners:
            yield module, None
