"""Which maskbench this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """The installed version; a checkout on the import path has none."""
    try:
        return version("maskbench")
    except PackageNotFoundError:
        return "not installed"
