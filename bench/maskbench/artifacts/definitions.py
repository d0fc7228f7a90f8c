"""The text of classes and functions that stand in no module's file, from where Python keeps it for tracebacks."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any

from maskbench.errors import UsageError

ELSEWHERE = "put it into a file and import it from there, or name that file with --plugin."
"""What to do about a definition that cannot be read."""

_DEFINITION = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def definition_tree(definition: Any) -> ast.AST:
    """The syntax tree of a class or a function, out of the text that it was compiled from.

    Raises:
        UsageError: the text is not at hand, as after ``exec``.
    """
    path = definition.__qualname__.rpartition("<locals>.")[2].split(".")
    for text, line in _texts(definition):
        found = _found(text, path, line, isinstance(definition, type))
        if found is not None:
            return found
    raise UsageError(
        f"The source of {definition.__module__}:{definition.__qualname__} is not at hand, so results would go stale: "
        f"{ELSEWHERE}"
    )


def _texts(definition: Any) -> Iterator[tuple[str, int | None]]:
    """Texts that may hold a definition, with a line of it where one is known."""
    functions = [definition] if isinstance(definition, FunctionType) else _own_functions(definition)
    for function in functions:
        yield "".join(linecache.getlines(function.__code__.co_filename)), function.__code__.co_firstlineno
    if isinstance(definition, type):  # without functions but those that a decorator made, nothing tells where it was
        module = sys.modules[definition.__module__]
        file = getattr(module, "__file__", None)
        if file:
            yield "".join(linecache.getlines(file)), None
        yield from ((cell, None) for cell in reversed(getattr(module, "In", [])))  # IPython's cells, as they ran


def _own_functions(definition: type) -> list[FunctionType]:
    members = (getattr(value, "__func__", getattr(value, "fget", value)) for value in vars(definition).values())
    functions = (inspect.unwrap(member) for member in members if isinstance(member, FunctionType))
    return [each for each in functions if each.__qualname__.startswith(f"{definition.__qualname__}.")]


def _found(text: str, path: list[str], line: int | None, is_class: bool) -> ast.AST | None:
    """The definition at a dotted path, the last one of the text that has the line; of a lambda the whole statement."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a cell of a notebook that never ran
        return None
    nodes: Iterable[ast.AST] = tree.body if "<lambda>" in path else _definitions(tree, path)
    if is_class or "<lambda>" in path:
        found = [node for node in nodes if line is None or _spans(node, line)]
    else:
        found = [node for node in nodes if _first_line(node) == line]
    return found[-1] if found else None


def _definitions(tree: ast.AST, path: list[str]) -> Iterator[ast.AST]:
    name, *rest = path
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITION) and node.name == name:
            yield from _definitions(node, rest) if rest else [node]


def _first_line(node: Any) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])


def _spans(node: Any, line: int) -> bool:
    return _first_line(node) <= line <= node.end_lineno
