"""What a run says, and returns, when it is told to end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from maskbench.cli import exits
from maskbench.executors.interrupts import KEPT, Terminated


@contextmanager
def told_when_stopped() -> Iterator[None]:
    """Say that what is done is kept where Ctrl-C or SIGTERM ends the block, and exit as shells expect."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as stopped:
        Console(stderr=True, soft_wrap=True).print(f"[bold yellow]{KEPT}[/]", highlight=False)
        code = exits.INTERRUPTED if isinstance(stopped, KeyboardInterrupt) else exits.TERMINATED
        raise typer.Exit(code) from None
