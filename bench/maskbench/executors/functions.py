"""The functions that judge and compute, so that a plug-in which replaces one is noticed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import torch

_LIBRARY = ("torch", "torch.nn.functional", "torch.linalg", "torch.fft", "torch.special")
_COMPILER = tuple(str(Path(torch.__file__).parent / part) for part in ("_dynamo", "_compile.py"))
_CLASSES = {"torch": "Tensor", "torch.nn": "Module"}
_ENGINE, _PLUGINS = "maskbench", ("maskbench.methods", "maskbench.attacks")
_MEMBERS = (FunctionType, classmethod, staticmethod, property)
_BOOKKEEPING = ("__pydantic", "_abc_", "__abstractmethods__")  # what libraries write into classes by themselves


_Entry = tuple[Any, str, Any, Any]
"""A module or class, the name of an attribute, its value, and its code where it is a function."""

_INHERITED = object()


class Functions:
    """What the names of torch and of the engine stand for, in the modules that are loaded."""

    def __init__(self) -> None:
        self._known: dict[str, list[_Entry]] = {}

    def remember(self) -> None:
        """Look at the modules that were loaded since the last time."""
        for name in list(sys.modules):
            if name not in self._known and _matters(name):
                self._known[name] = [
                    entry for owner in _owners(name, sys.modules[name]) for entry in _functions_of(owner)
                ]
                if name in _CLASSES:
                    owner = getattr(sys.modules[name], _CLASSES[name])
                    inherited = [it for it in dir(owner) if it not in vars(owner) and callable(getattr(owner, it))]
                    self._known[name] += [(owner, attribute, _INHERITED, None) for attribute in inherited]

    def put_back(self) -> list[str]:
        """The names that stand for something else now; each gets back what it stood for."""
        found = []
        for entries in self._known.values():
            for place, (owner, attribute, value, code) in enumerate(entries):
                now = vars(owner).get(attribute, _INHERITED)
                if now is not value and _by_the_compiler(now):
                    entries[place] = (owner, attribute, now, _code(now))
                elif now is not value:
                    found.append(f"{_name(owner)}.{attribute}")
                    if value is _INHERITED:
                        delattr(owner, attribute)
                    else:
                        setattr(owner, attribute, value)
                if isinstance(value, FunctionType) and value.__code__ is not code:
                    found.append(f"the code of {_name(owner)}.{attribute}")
                    value.__code__ = code
        return found


def _by_the_compiler(value: Any) -> bool:
    """Whether torch's compiler wrote a function: it wraps some of torch's own when it is loaded, which may be late."""
    return isinstance(value, FunctionType) and value.__code__.co_filename.startswith(_COMPILER)


def _matters(name: str) -> bool:
    return name in _LIBRARY or name in _CLASSES or (name.split(".", 1)[0] == _ENGINE and not name.startswith(_PLUGINS))


def _owners(name: str, module: ModuleType) -> Iterator[Any]:
    """A module, and the classes that are defined in it."""
    if name in _CLASSES:
        yield getattr(module, _CLASSES[name])
    if name in _LIBRARY or name not in _CLASSES:
        yield module
    if name not in _LIBRARY and name not in _CLASSES:
        yield from (it for it in vars(module).values() if isinstance(it, type) and it.__module__ == name)


def _functions_of(owner: Any) -> list[_Entry]:
    found = [(name, value) for name, value in list(vars(owner).items()) if _is_function(owner, name, value)]
    return [(owner, name, value, _code(value)) for name, value in found]


def _is_function(owner: Any, attribute: str, value: Any) -> bool:
    if isinstance(owner, type):
        return isinstance(value, _MEMBERS) and not attribute.startswith(_BOOKKEEPING)
    if attribute.startswith("__") or (isinstance(value, type) and owner.__name__ in _LIBRARY):
        return False  # torch sets some of its classes itself: torch.Storage follows the default dtype
    return callable(value) or isinstance(value, ModuleType)


def _code(value: Any) -> Any:
    return value.__code__ if isinstance(value, FunctionType) else None


def _name(owner: Any) -> str:
    return f"{owner.__module__}.{owner.__qualname__}" if isinstance(owner, type) else owner.__name__
