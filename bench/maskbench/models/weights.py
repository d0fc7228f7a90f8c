"""Loading a backbone's weights from a local file."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from maskbench.artifacts.file_digest import check_file
from maskbench.errors import UsageError

SHOWN = 3
"""How many parameter names a message lists before it only counts them."""


def load_weights(network: nn.Module, file: Path, *, classes: int, ignored: tuple[str, ...] = ()) -> None:
    """Load a state dict (safetensors, or what ``torch.save`` wrote) into ``network``.

    A parameter that differs in its number of classes alone is the head: it keeps its random start, with a warning
    that gives both shapes. Names that begin with one of ``ignored`` are skipped. Raises UsageError for an
    unreadable file and for one that does not fit the network.
    """
    wanted = network.state_dict()
    given = {name: value for name, value in read_state(file).items() if not name.startswith(ignored)}
    differing = [name for name in wanted if name in given and given[name].shape != wanted[name].shape]
    head = [name for name in differing if _is_head(given[name].shape, wanted[name].shape, classes)]
    problems = {
        "missing": [name for name in wanted if name not in given],
        "unexpected": [name for name in given if name not in wanted],
        "of another shape": [name for name in differing if name not in head],
    }
    if any(problems.values()):
        listed = "; ".join(f"{what}: {_some(names)}" for what, names in problems.items() if names)
        raise UsageError(f"The weights in '{file}' do not fit the network ({listed}).")
    if head:
        shapes = ", ".join(f"{name} {tuple(given[name].shape)} → {tuple(wanted[name].shape)}" for name in head)
        warnings.warn(f"The head in '{file}' has other classes and starts anew: {shapes}.", stacklevel=2)
    network.load_state_dict({**given, **{name: wanted[name] for name in head}})


def read_state(file: Path) -> dict[str, Tensor]:
    """Read a state dict; UsageError where there is none."""
    check_file(file)
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"Cannot read weights from '{file}': {reason}") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UsageError(f"'{file}' holds no state dict (names to tensors); save `model.state_dict()`.")
    return dict(state)


def _is_head(given: torch.Size, wanted: torch.Size, classes: int) -> bool:
    return len(given) == len(wanted) and given[1:] == wanted[1:] and wanted[0] == classes


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
