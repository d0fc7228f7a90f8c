"""``maskbench merge RUN…``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from maskbench.cli import exits, options
from maskbench.cli.console import tell_where, terminal


def merge(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders that `maskbench run --shard I/N` has written.", metavar="RUN...")
    ],
    out: options.Out = None,
    partial: Annotated[bool, typer.Option("--partial", help="Merge what is there where shards are missing.")] = False,
    verbose: options.Verbose = False,
) -> None:
    """Join the shards of a run into one run folder; its numbers are those of a run of the whole suite."""
    console = terminal()
    with console.status("Merging"):
        from maskbench import merging
        from maskbench.report.terminal import print_run
        from maskbench.results.provenance import command_line

        found = merging.merge(runs, out=out, partial=partial, command=command_line(sys.argv[1:]))
    print_run(found.results, console, verbose=verbose)
    tell_where(found.path, console)
    if len(found.failed):
        raise typer.Exit(exits.FAILED)
