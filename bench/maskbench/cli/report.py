"""``maskbench report RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskbench.cli import options
from maskbench.cli.console import tell_where, terminal


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders that `maskbench run` has written.", metavar="RUN...")],
    verbose: options.Verbose = False,
) -> None:
    """Write the tables and figures of a run again, from its folder alone: neither store nor data are needed."""
    console = terminal()
    with console.status("Reading"):
        from maskbench.report.terminal import print_run
        from maskbench.runs import load

        found = [load(run) for run in runs]
    for run in found:
        print_run(run.results, console, verbose=verbose)
        with console.status("Writing tables and figures"):
            run.report()
        tell_where(run.path, console)
