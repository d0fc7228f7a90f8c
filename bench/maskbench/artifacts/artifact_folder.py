"""One artifact on disk: a folder with its tensors as safetensors and its description as JSON, both checksummed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from maskbench.errors import DamagedArtifact

SCHEMA_VERSION = 1
TENSORS = "tensors.safetensors"
_DESCRIPTION = "artifact.json"


def write(folder: Path, tensors: dict[str, Tensor], body: Mapping[str, Any]) -> None:
    """Write an artifact into an empty folder, down to the disk.

    Args:
        body: what its description says beside checksum, time and version: key, ingredients, record, times, bytes.

    Raises:
        OSError, SafetensorError: the disk does not take it.
    """
    save_file(tensors, folder / TENSORS)
    with (folder / TENSORS).open("rb") as file:
        tensors_checksum = hashlib.file_digest(file, hashlib.blake2b).hexdigest()
    whole = {
        **body,
        "tensors_checksum": tensors_checksum,
        "written": time.time(),
        "schema_version": SCHEMA_VERSION,
    }
    text = json.dumps({"checksum": _checksum(_canonical(whole)), "body": whole}, indent=1)
    (folder / _DESCRIPTION).write_text(text, encoding="utf-8")
    for name in (TENSORS, _DESCRIPTION):
        _flush(folder / name)


def describe(folder: Path, key: str) -> dict[str, Any]:
    """What the description of the artifact of a key says.

    Raises:
        KeyError: there is no such folder.
        DamagedArtifact: it is not what was written.
    """
    if not os.path.lexists(folder):
        raise KeyError(key)
    path = folder / _DESCRIPTION
    try:
        if not path.is_file():  # a pipe would be read for ever
            raise DamagedArtifact(f"{key[:12]}: its description is missing")
        description = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedArtifact(f"{key[:12]}: its description cannot be read: {error}") from None
    body = description.get("body") if isinstance(description, dict) else None
    if not isinstance(body, dict) or description.get("checksum") != _checksum(_canonical(body)):
        raise DamagedArtifact(f"{key[:12]}: its description does not match its checksum")
    if body.get("key") != key:
        raise DamagedArtifact(f"{key[:12]}: its description is that of another artifact")
    if body.get("schema_version") != SCHEMA_VERSION:
        raise DamagedArtifact(f"{key[:12]}: its description is of another version")
    return body


def check_tensors(folder: Path, key: str, description: Mapping[str, Any]) -> None:
    """Compare the tensors of an artifact with the checksum in its description.

    Raises:
        DamagedArtifact: they are not what was written.
    """
    path = folder / TENSORS
    try:
        if not path.is_file():
            raise DamagedArtifact(f"{key[:12]}: its tensors are missing")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, hashlib.blake2b).hexdigest()
    except OSError as error:
        raise DamagedArtifact(f"{key[:12]}: its tensors cannot be read: {error}") from None
    if found != description["tensors_checksum"]:
        raise DamagedArtifact(f"{key[:12]}: its tensors do not match their checksum")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data).hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
