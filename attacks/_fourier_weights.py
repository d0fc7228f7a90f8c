"""A LaMa generator from the files that its weights come in."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from maskbench import UsageError, load_torchscript, read_state
from torch import Tensor

from ._fourier import FourierGenerator

FIRST = "model.1.ffc.convl2l.weight"
"""The first convolution; whatever stands before it (``generator.``, ``model.generator.``) is a wrapper's name."""

COUNTERS = ".num_batches_tracked"
"""Batch normalisation's counters, which some exports leave out and nothing here reads."""


def load_generator(file: Path) -> FourierGenerator:
    """Build the generator that a file holds the weights of; its size is read from their shapes.

    file: safetensors, a checkpoint of tensors (a state dict, or one under ``state_dict``), or TorchScript such as
    big-lama.pt. Raises UsageError where it cannot be read or holds something else.
    """
    state = _read(file)
    first = next((name for name in state if name.endswith(FIRST)), None)
    if first is None:
        raise UsageError(f"'{file}' holds no LaMa generator: none of its {len(state)} tensors is '…{FIRST}'.")
    prefix = first.removesuffix(FIRST)
    state = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(f"{prefix}model.")}
    last = max((name for name in state if re.fullmatch(r"model\.\d+\.bias", name)), key=_place, default=FIRST)
    generator = FourierGenerator(
        channels_in=state[FIRST].shape[1],
        channels_out=len(state[last]),
        width=len(state[FIRST]),
        downsamplings=sum(re.fullmatch(r"model\.\d+\.ffc\.convl2l\.weight", name) is not None for name in state) - 1,
        blocks=sum(name.endswith(".conv1.ffc.convl2l.weight") for name in state),
    )
    counters = {name: value for name, value in generator.state_dict().items() if name.endswith(COUNTERS)}
    try:
        generator.load_state_dict({**counters, **state})
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"The weights in '{file}' are of another network than LaMa's: {reason[:300]}") from error
    return generator


def _place(name: str) -> int:
    return int(name.split(".")[1])


def _read(file: Path) -> dict[str, Tensor]:
    if file.suffix == ".safetensors":
        return read_state(file)
    if _is_torchscript(file):
        return dict(load_torchscript(file).state_dict())
    try:
        checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"Cannot read weights from '{file}': {reason}") from error
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(state, Mapping):
        raise UsageError(f"'{file}' holds no state dict (names to tensors); save `model.state_dict()`.")
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _is_torchscript(file: Path) -> bool:
    """TorchScript archives hold their constants beside the code; those of ``torch.save`` have none."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())
