"""``maskbench report RUN...``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from maskbench.cli import options
from maskbench.cli.console import tell_where, terminal
from maskbench.errors import UsageError

_COMPARISON = Path("comparison.html")


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders that `maskbench run` has written.", metavar="RUN...")],
    out: Annotated[
        Path | None,
        typer.Option(help="The page that shows two runs or more side by side. Default: comparison.html, here."),
    ] = None,
    verbose: options.Verbose = False,
) -> None:
    """Write the tables, figures and report.html of a run again, from its folder alone; of several, also side by side.

    Neither store nor data are needed.
    """
    console = terminal()
    with console.status("Reading"):
        from maskbench.report.html.comparison import named_apart, refuse_other_threat_models
        from maskbench.report.html.page import write_comparison
        from maskbench.report.terminal import print_run
        from maskbench.runs import load

        found = [load(run) for run in runs]
        named = named_apart([(run.path, run.results) for run in found])
        refuse_other_threat_models(named)
        place = out or _COMPARISON
        if len(found) == 1 and out is not None:
            raise UsageError("--out is for two runs or more: the page of one is report.html in its folder.")
        if place.suffix != ".html":
            raise UsageError(f"--out {place}: name a file that ends in .html. Nothing was written.")
    for run in found:
        print_run(run.results, console, verbose=verbose)
        with console.status("Writing tables, figures and report.html"):
            run.report()
        tell_where(run.path, console)
    if len(found) > 1:
        with console.status("Writing the runs side by side"):
            page = write_comparison(named, place)
        console.print(f"Side by side: {escape(str(page))}", highlight=False, soft_wrap=True)
