"""What is in a file, as it goes into keys."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path


def content_digest(file: Path, algorithm: str = "sha256") -> str:
    """The digest of a file, in hex; it is read once for as long as its size and its time of change stay the same."""
    status = file.stat()
    return _digest(file.resolve(), algorithm, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(file: Path, algorithm: str, size: int, changed: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
