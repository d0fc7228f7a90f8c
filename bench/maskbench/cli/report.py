"""``maskbench report RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from maskbench.cli.console import terminal


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders that `maskbench run` has written.", metavar="RUN...")],
) -> None:
    """Write the tables and figures of a run again, from its folder alone: neither store nor data are needed."""
    console = terminal()
    with console.status("Reading"):
        from maskbench.report.terminal import print_run
        from maskbench.runs import load

        found = [load(run) for run in runs]
    for run in found:
        print_run(run.results, console)
        with console.status("Writing tables and figures"):
            run.report()
        console.print(f"Results: {escape(str(run.path))}", highlight=False, soft_wrap=True)
