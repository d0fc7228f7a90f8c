"""Taking things away from a disk that others use too."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path


def discard(path: Path) -> None:
    """Remove a file, a link or a folder with all in it, where there is one; what cannot be is left for a sweep."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def changed(path: Path) -> float:
    """When a path last changed; for one that another run has moved into place meanwhile: now."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()
