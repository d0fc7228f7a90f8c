"""Recognizers by name. A module of this package that sets ``RECOGNIZER`` is one; there is no list to edit.

Such a module holds, at its top level, the description as its docstring's first line, ``RECOGNIZER = "name"`` (or
``"prefix:NAME"`` for a family) as a literal, and ``build(name, *, channels, classes, size)``. Only its text is read
until it is asked to build, so that listing loads no torch.
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from maskbench.artifacts.file_digest import content_digest
from maskbench.errors import UsageError, unknown

if TYPE_CHECKING:
    from maskbench.models.recognizer import Recognizer

MARK = "RECOGNIZER"
FEWEST_CLASSES = 2


@dataclass(frozen=True)
class _Entry:
    name: str
    description: str
    module: str


def names() -> list[tuple[str, str]]:
    """Return (name, one-line description) of every recognizer, sorted."""
    return [(entry.name, entry.description) for entry in _entries()]


def source_module(name: str) -> str:
    """Return the dotted module that defines ``name``; UsageError where there is none."""
    return _find(name).module


def weights_file(name: str) -> Path | None:
    """Return the weights file that ``name`` asks for (``family:NAME@FILE``), or None.

    Its content belongs into whatever key the name goes into. Raises UsageError where the file is missing.
    """
    _, at, path = name.partition("@")
    if not at:
        return None
    file = Path(path).expanduser()
    if not file.is_file():
        raise UsageError(f"There is no weights file '{path}' (asked for by recognizer '{name}').")
    return file


def identity(name: str) -> dict[str, str]:
    """What a name stands for, as it goes into keys: the content of a weights file instead of its path."""
    file = weights_file(name)
    if file is None:
        return {"name": name}
    return {"name": name.partition("@")[0], "weights": content_digest(file)}


def build(name: str, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
    """Build a recognizer with random weights (or those of its file) for images C×H×W with ``size`` = (H, W).

    Weights are drawn from torch's global generator: seed it. Raises UsageError for an unknown name, fewer than two
    classes, no channels, or a size that the network cannot take.
    """
    entry = _find(name)
    if classes < FEWEST_CLASSES:
        raise UsageError(f"A recognizer needs at least {FEWEST_CLASSES} classes, got {classes}.")
    if channels < 1 or min(size) < 1:
        raise UsageError(f"A recognizer needs images, got {channels} channels of {size[0]}×{size[1]} px.")
    return importlib.import_module(entry.module).build(name, channels=channels, classes=classes, size=size)


def _find(name: str) -> _Entry:
    for entry in _entries():
        prefix, colon, _ = entry.name.partition(":")
        if name == entry.name or (colon and name.startswith(prefix + colon)):
            return entry
    raise unknown("recognizer", name, [entry.name for entry in _entries()])


@cache
def _entries() -> tuple[_Entry, ...]:
    found = []
    for file in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        name = _marked(tree)
        if name is not None:
            description = (ast.get_docstring(tree) or "").partition("\n")[0]
            found.append(_Entry(name, description, f"{__package__}.{file.stem}"))
    return tuple(sorted(found, key=lambda entry: entry.name))


def _marked(tree: ast.Module) -> str | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [MARK]:
            return str(ast.literal_eval(node.value))
    return None
