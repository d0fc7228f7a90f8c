"""Where the store lies."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from maskbench.errors import UsageError


def store_folder(chosen: str | Path | None) -> Path:
    """The store that the user chose, or the one of ``MASKBENCH_STORE``, or the one in the user's cache folder.

    Raises:
        UsageError: none was chosen, and there is no home folder.
    """
    named = chosen or os.environ.get("MASKBENCH_STORE")
    if named:
        return Path(named)
    try:
        return user_cache_path("maskbench", appauthor=False) / "store"
    except RuntimeError:
        reason = "There is no home folder to keep the store in: name one with --store or MASKBENCH_STORE."
        raise UsageError(reason) from None
