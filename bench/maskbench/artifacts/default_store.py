"""Where the store lies unless the user says otherwise."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path

from maskbench.errors import UsageError


def default_store() -> Path:
    """The store in the user's cache folder.

    Raises:
        UsageError: there is no home folder.
    """
    try:
        return user_cache_path("maskbench", appauthor=False) / "store"
    except RuntimeError:
        reason = "There is no home folder to keep the store in: name one with --store or MASKBENCH_STORE."
        raise UsageError(reason) from None
