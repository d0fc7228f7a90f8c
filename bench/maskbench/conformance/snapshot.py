"""What a plug-in's module and classes hold, so that anything left behind there is noticed."""

from __future__ import annotations

import hashlib
import random
import sys
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from maskbench.plugins.kinds import KINDS

_DEPTH = 6  # deeper containers are told by their identity alone
_LIBRARIES = ("pydantic", "abc", "builtins", "typing")
_CONTRACTS = {"maskbench.plugins.base", *(kind.contract.partition(":")[0] for kind in KINDS.values())}
_BOOKKEEPING = ("__", "_abc_", "model_")  # what Python, abc and pydantic write into classes by themselves


def snapshot(plugin: type) -> dict[str, str]:
    """Name → a print of its content, for the globals and the class attributes of a plug-in and its own bases.

    Memoised functions (``functools.cache``) are told by their identity alone: a table computed once is no leak.
    """
    found: dict[str, str] = {}
    for cls in plugin.__mro__:
        if cls.__module__ in _CONTRACTS or cls.__module__.split(".", 1)[0] in _LIBRARIES:
            continue
        for name, value in vars(cls).items():
            if not name.startswith(_BOOKKEEPING):
                found[f"{cls.__name__}.{name}"] = _print(value, _DEPTH)
        for name, value in vars(sys.modules[cls.__module__]).items():
            if not name.startswith("__"):
                found[f"{cls.__module__}.{name}"] = _print(value, _DEPTH)
    return found


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The names whose content differs."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _print(value: Any, depth: int) -> str:
    if depth == 0 or isinstance(value, type | ModuleType):
        return f"object {id(value)}"
    if isinstance(value, torch.Tensor):
        return _digest(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    if isinstance(value, np.ndarray):
        return (
            _digest(np.ascontiguousarray(value).tobytes()) if value.dtype != object else _print(value.tolist(), depth)
        )
    if isinstance(value, torch.Generator):
        return _print(value.get_state(), depth)
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, random.Random):
        return _digest(repr(value.getstate()).encode())
    if isinstance(value, nn.Module):
        return _print(dict(value.state_dict()), depth)
    if isinstance(value, dict):
        return repr([(_print(key, depth - 1), _print(content, depth - 1)) for key, content in value.items()])
    if isinstance(value, list | tuple):
        return repr([_print(content, depth - 1) for content in value])
    if isinstance(value, set | frozenset):
        return repr(sorted(_print(content, depth - 1) for content in value))
    if value is None or isinstance(value, str | bytes | int | float | complex):
        return repr(value)
    if isinstance(value, FunctionType):
        return f"function {id(value)} {_print(vars(value), depth - 1)} {_print(value.__defaults__, depth - 1)}"
    if hasattr(value, "__dict__") and not callable(value):
        return f"object {id(value)} {_print(vars(value), depth - 1)}"
    return f"object {id(value)}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
