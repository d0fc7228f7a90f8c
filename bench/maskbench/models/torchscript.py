"""Reading TorchScript: the form in which some networks are published."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from pathlib import Path

import torch

from maskbench.artifacts.file_digest import check_file
from maskbench.errors import UsageError

_LONGEST = 64 << 20  # bytes of code in one file: published networks have less than one
_NAMESPACES = ("aten", "prim", "prims", "quantized", "torchvision")
"""Operators that compute; others write images, talk to other machines, or do what an installed package says."""

_REACHES_OUT = re.compile(
    r"\b(?:from_file|read_file|write_file|rpc_sync|rpc_async|rpc_remote|PythonOp|IgnoredPythonOp)\b"
    r"|\.\s*save\b"
    rf"|\bops\s*\.\s*(?!(?:{'|'.join(_NAMESPACES)})\b)\w+"
)
"""What code must not hold, in any spelling: it is searched as text, since a name may be stored before it is called."""


def load_torchscript(file: Path) -> torch.jit.ScriptModule:
    """Load a network onto the CPU, for evaluation.

    TorchScript is a program, part of which runs when it is loaded. Its operators may read and write files, so the code
    is looked through before. It is deprecated in favour of ``torch.export``, but what was published in it stays in it.

    Raises:
        UsageError: the file holds no TorchScript, or a program that reaches beyond its input.
    """
    check_file(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            found = _REACHES_OUT.search(_code(file))
            if found:
                raise UsageError(
                    f"'{file}' is TorchScript that calls '{found[0].lstrip('. ')}', which reaches beyond its input "
                    "(files, other processes): it is not loaded. Save the network as weights, or without that call."
                )
            return torch.jit.load(file, map_location="cpu").eval()
        except (OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            reason = str(error).strip().partition("\n")[0]
            raise UsageError(f"Cannot read TorchScript from '{file}': {reason}") from error


def _code(file: Path) -> str:
    """The source text of all modules in the archive; of two with one name both, since either may be the one that runs.

    Names are compared in lower case, as torch does.
    """
    with zipfile.ZipFile(file) as archive:
        members = [member for member in archive.infolist() if member.filename.lower().endswith(".py")]
        if sum(member.file_size for member in members) > _LONGEST:
            raise ValueError(f"it has more than {_LONGEST >> 20} MB of code")
        return "\n".join(archive.read(member).decode("utf-8") for member in members)
