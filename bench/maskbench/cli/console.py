"""Where the commands print."""

from __future__ import annotations

import sys

from rich.console import Console

_FILE_WIDTH = 130  # columns where the output goes to a file or a pipe, which have no width of their own


def terminal() -> Console:
    """The terminal at its own width, or a file at a fixed one."""
    return Console(width=None if sys.stdout.isatty() else _FILE_WIDTH)
