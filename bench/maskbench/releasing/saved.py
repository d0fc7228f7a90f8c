"""Fitted methods as files: safetensors, with JSON in the header. Nothing in them is executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from maskbench.errors import ContractViolation, UsageError
from maskbench.releasing.fitted import Fitted, TeacherWeights
from maskbench.releasing.options import create_method
from maskbench.releasing.private import write_private
from maskbench.releasing.secret import Secret

_FORMAT = 1
_HEADER = "maskbench"


def write(fitted: Fitted, path: Path) -> None:
    """Write a fitted method, aside first; readable by its owner alone, because it holds the secret.

    Raises:
        ContractViolation: the state that the method's ``fit`` returned is not tensors by name.
    """
    tensors = {}
    for name, tensor in _state(fitted).items():
        tensors[f"state/{name}"] = tensor
    for label, teacher in fitted.teachers.items():
        for name, tensor in teacher.weights.items():
            tensors[f"teacher/{label}/{name}"] = tensor
    header = {
        "format": _FORMAT,
        "method": fitted.method.name,
        "parameters": fitted.method.model_dump(mode="json"),
        "secret": fitted.secret.value.hex(),
        "seed_policy": fitted.seed_policy,
        "size": fitted.size,
        "shape": fitted.shape,
        "sensitive": fitted.sensitive,
        "teachers": {
            label: {"recognizer": teacher.recognizer, "classes": teacher.classes}
            for label, teacher in fitted.teachers.items()
        },
        "learned_from": dict(fitted.learned_from),
    }
    # Contiguous copies: safetensors refuses views, and tensors that share memory.
    content = save(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()},
        {_HEADER: json.dumps(header)},
    )
    write_private(path, content)


def read(path: Path) -> Fitted:
    """Read what ``write`` wrote.

    Raises:
        UsageError: it is no such file, or the method is not there or does not take these parameters.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise UsageError(f"Cannot read a saved method from '{path}': {error}") from None
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise UsageError(f"'{path}' holds no method that `maskbench desensitize --save` of this version wrote.")
    try:
        return _fitted(header, tensors)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"'{path}' is damaged: {type(error).__name__}: {error}") from None


def _fitted(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Fitted:
    method = create_method(header["method"], header["parameters"])
    teachers = {
        label: TeacherWeights(about["recognizer"], about["classes"], _below(tensors, f"teacher/{label}/"))
        for label, about in header["teachers"].items()
    }
    shape = header["shape"]
    return Fitted(
        method=method.with_state(_below(tensors, "state/")),
        secret=Secret(bytes.fromhex(header["secret"])),
        seed_policy=header["seed_policy"],
        size=header["size"],
        shape=None if shape is None else (shape[0], shape[1], shape[2]),
        sensitive=header["sensitive"],
        teachers=teachers,
        learned_from=header["learned_from"],
    )


def _state(fitted: Fitted) -> Mapping[str, Tensor]:
    state = fitted.method.state
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ContractViolation(f"method '{fitted.method.name}': fit must return tensors by name, as a dict.")
    return state


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
