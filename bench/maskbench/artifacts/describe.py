"""A hash of a value by what it holds, the same in any process, for values that are part of a key."""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import inspect
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel

_PLAIN = (type(None), bool, int, float, complex, str, bytes, range, PurePath, torch.dtype, torch.device)
_NAMED = (type, FunctionType, BuiltinFunctionType, ModuleType, np.ufunc)


@dataclass
class Described:
    """A value in words.

    Attributes:
        text: equal for equal values.
        references: the classes, functions and modules that it holds or is; their code is not in the text.
        unknown: what it holds that cannot be described.
        is_reference: whether the value is itself a class, a function or a module.
    """

    text: str = ""
    references: list[Any] = field(default_factory=list)
    unknown: list[Any] = field(default_factory=list)
    is_reference: bool = False

    @property
    def hash(self) -> str:
        """Sha-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def describe(value: Any) -> Described:
    """Describe a plain value, a container, a tensor, an array, a data class, a pydantic model or a type."""
    found = Described()
    found.text = _text(value, found)
    found.is_reference = _is_reference(_unwrapped(value))
    return found


def _text(value: Any, found: Described) -> str:
    value = _unwrapped(value)
    if _is_reference(value):
        found.references.append(value)
        if isinstance(value, ModuleType):
            return value.__name__
        return f"{getattr(value, '__module__', '')}:{getattr(value, '__qualname__', value)}"
    if isinstance(value, enum.Enum):
        return f"{_text(type(value), found)}.{value.name}"
    if type(value) in _PLAIN or isinstance(value, PurePath):
        return repr(value)
    parts = _parts(value)
    if parts is None:
        found.unknown.append(value)
        return ""
    texts = [_text(part, found) for part in parts]
    if isinstance(value, set | frozenset):
        texts.sort()
    return f"{_text(type(value), found)}({', '.join(texts)})"


def _is_reference(value: Any) -> bool:
    """Classes, functions, modules, and what typing has without arguments: ClassVar, Self, a type variable."""
    return isinstance(value, _NAMED) or (type(value).__module__ == "typing" and typing.get_origin(value) is None)


def _unwrapped(value: Any) -> Any:
    """The function that was decorated; decorators are named in its source."""
    return inspect.unwrap(value) if callable(value) and hasattr(value, "__wrapped__") else value


def _parts(value: Any) -> list[Any] | None:
    """What a value is made of; None for one that does not say so."""
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, torch.Tensor):
        return _array(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy(), value.dtype, value.shape)
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return [array.tolist()] if array.dtype == object else _array(array, array.dtype.str, array.shape)
    if dataclasses.is_dataclass(value):
        return [part for each in dataclasses.fields(value) for part in (each.name, getattr(value, each.name))]
    if isinstance(value, BaseModel):
        return [dict(value)]
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, re.Pattern):
        return [value.pattern, value.flags]
    if typing.get_origin(value) is not None:  # Literal["a", "b"], Annotated[str, …], list[int]
        return [typing.get_origin(value), *typing.get_args(value)]
    return None


def _array(content: Any, kind: Any, shape: tuple[int, ...]) -> list[Any]:
    return [str(kind), tuple(shape), hashlib.sha256(np.ascontiguousarray(content).tobytes()).hexdigest()]
