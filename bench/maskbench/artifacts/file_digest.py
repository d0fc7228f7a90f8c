"""What is in a file, as it goes into keys."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from maskbench.errors import UsageError

LARGEST = 8 << 30
"""Bytes of the largest file of weights that is read."""


def check_file(file: Path) -> None:
    """Refuse what is no regular file (a pipe or a device is read for ever) and what is larger than weights are.

    Raises:
        UsageError: it is one of these. A file that is not there passes: whoever opens it says so.
    """
    if not file.exists():
        return
    if not file.is_file():
        raise UsageError(f"'{file}' is no regular file: name the file that holds the weights.")
    if (size := file.stat().st_size) > LARGEST:
        raise UsageError(f"'{file}' has {size / 2**30:.1f} GB; weights may have {LARGEST >> 30} GB.")


def content_digest(file: Path, algorithm: str = "sha256") -> str:
    """The digest of a file, in hex; it is read once for as long as its size and its time of change stay the same.

    Raises:
        UsageError: see :func:`check_file`.
    """
    check_file(file)
    status = file.stat()
    return _digest(file.resolve(), algorithm, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(file: Path, algorithm: str, size: int, changed: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
