"""The code of classes that stand in no module's file: of a notebook, of a script that runs, of a prompt.

A module's file is hashed whole. A notebook has no such file, and its cells come and go; here a class is followed
through the names that its code uses: to the functions and classes of the same namespace, to the values that it finds
there, and to the modules that the rest comes from.
"""

from __future__ import annotations

import ast
import hashlib
import symtable
import sys
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from maskbench.artifacts.definitions import ELSEWHERE, definition_tree
from maskbench.artifacts.describe import Described, describe
from maskbench.artifacts.modules import source_file
from maskbench.artifacts.syntax import FIRST_PARTY, Import, code_hash, used_of
from maskbench.errors import UsageError

_MAIN = "__main__"
_PLAIN = bool | int | float | complex | str | bytes | tuple | list | dict | set | frozenset


@dataclass
class InlineCode:
    """What a class of no file is made of.

    Attributes:
        hashes: ``module:name`` → hash, for each class, function and value that was reached and stands in no file.
        imports: where the other names come from.
    """

    hashes: dict[str, str] = field(default_factory=dict)
    imports: set[Import] = field(default_factory=set)


def code_root(definition: type) -> str:
    """What names the code of a class to :func:`maskbench.artifacts.fingerprint.closure`.

    Returns:
        The module of a class that lives in a file; ``__main__:MyMethod`` for one of a notebook or a running script.

    Raises:
        UsageError: the class stands in no file, and cannot be reached by its name: it was defined inside a function, or
            its name stands for another class by now.
    """
    if not _stands_in_no_file(definition.__module__):
        return definition.__module__
    root = f"{definition.__module__}:{definition.__qualname__}"
    if _reached(root) is not definition:
        raise UsageError(
            f"The class {definition.__qualname__} is not what its name stands for in {definition.__module__}. If you "
            f"defined it again, hand over the new one; if you defined it inside a function, {ELSEWHERE}"
        )
    return root


def inline_code(root: str) -> InlineCode:
    """Read the code behind a root that names a class.

    Raises:
        UsageError: the source of something that it uses is not at hand, or a value is of a kind that cannot be hashed.
    """
    reader = _Reader()
    reader.define(_reached(root))
    return reader.code


def _stands_in_no_file(module: str) -> bool:
    """Whether it is the running script, a notebook, or made in memory; compiled modules have no source but a spec."""
    if module == _MAIN:
        return True
    return source_file(module) is None and getattr(sys.modules.get(module), "__spec__", None) is None


def _reached(root: str) -> Any:
    module, _, path = root.partition(":")
    value: Any = sys.modules.get(module)
    for name in path.split("."):
        value = getattr(value, name, None)
    return value


class _Reader:
    """Follows definitions through the names that they use."""

    def __init__(self) -> None:
        self.code = InlineCode()
        self._read: set[int] = set()

    def define(self, definition: Any) -> None:
        """Add a class or a function of no file, and all that it uses."""
        if id(definition) in self._read:
            return
        self._read.add(id(definition))
        label = f"{definition.__module__}:{definition.__qualname__}"
        tree = definition_tree(definition)
        held = describe(_held(definition))
        self._follow(held, label)
        namespace = vars(sys.modules[definition.__module__])
        used = [self._use(name, namespace[name], tree, label) for name in _global_names(tree) if name in namespace]
        content = hashlib.sha256("\n".join([code_hash(tree), held.text, *used]).encode()).hexdigest()
        # Two may share a name: lambdas, and a class that another was derived from before it was defined again.
        if self.code.hashes.setdefault(label, content) != content:
            self.code.hashes[f"{label} {content[:12]}"] = content

    def _use(self, name: str, value: Any, tree: ast.AST, label: str) -> str:
        """Add what a definition finds under a name; say what that is, where it has code of its own."""
        found = describe(value)
        if isinstance(value, ModuleType) and value.__name__ == FIRST_PARTY:
            self.code.imports.update(used_of(tree, name, FIRST_PARTY))
            return f"{name}={found.text}"
        self._follow(found, label, name)
        if found.is_reference:
            return f"{name}={found.text}"
        self.code.hashes[f"{label.partition(':')[0]}:{name}"] = found.hash
        return name

    def _follow(self, found: Described, label: str, name: str = "") -> None:
        for unknown in found.unknown:
            held = f"uses '{name}', which holds" if name else "holds"
            raise UsageError(
                f"{label} {held} a {type(unknown).__name__}, and what that is made of cannot be told, so results would "
                f"go stale. Make it where it is used; or, for the class as a whole, {ELSEWHERE}"
            )
        for reference in found.references:
            if isinstance(reference, FunctionType | type) and _stands_in_no_file(reference.__module__):
                self.define(reference)
            elif not _stands_in_no_file(_home(reference)):
                self.code.imports.add((_home(reference), None))


def _home(reference: Any) -> str:
    """The module of a class, a function or a module; compiled functions name it less directly."""
    if isinstance(reference, ModuleType):
        return reference.__name__
    return getattr(reference, "__module__", None) or type(getattr(reference, "__self__", reference)).__module__


def _held(definition: Any) -> dict[str, Any]:
    """What a definition took in when it was made: the names in its source may stand for something else by now."""
    if isinstance(definition, FunctionType):
        cells = zip(definition.__code__.co_freevars, definition.__closure__ or (), strict=True)
        closed = {name: cell.cell_contents for name, cell in cells if name != "__class__"}
        return {"closed over": closed, "defaults": (definition.__defaults__, definition.__kwdefaults__)}
    plain = {
        name: value
        for name, value in vars(definition).items()
        if isinstance(value, _PLAIN) and not name.startswith(("__", "model_"))
    }
    borrowed = {
        name: value
        for name, value in vars(definition).items()
        if isinstance(value, FunctionType) and not value.__qualname__.startswith(f"{definition.__qualname__}.")
    }
    return {"bases": definition.__bases__, "values": plain, "borrowed": borrowed}


def _global_names(tree: ast.AST) -> list[str]:
    """The names that a definition takes from around it, annotations included; not those that it sets itself."""
    found, waiting = set(), [symtable.symtable(ast.unparse(tree), "<definition>", "exec")]
    while waiting:
        table = waiting.pop()
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
        waiting += table.get_children()
    return sorted(found)
