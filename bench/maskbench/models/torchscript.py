"""Reading TorchScript: the form in which some networks are published."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from maskbench.errors import UsageError


def load_torchscript(file: Path) -> torch.jit.ScriptModule:
    """Load a network onto the CPU, for evaluation. Raises UsageError where the file holds none.

    TorchScript is deprecated in favour of ``torch.export``, but what was published in it stays in it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return torch.jit.load(file, map_location="cpu").eval()
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise UsageError(f"Cannot read TorchScript from '{file}': {reason}") from error
