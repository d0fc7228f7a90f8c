"""``maskbench baseline update RUN``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from maskbench.cli.console import terminal
from maskbench.cli.examples import epilog

app = typer.Typer(help="Baselines: the committed runs that others are compared with.", no_args_is_help=True)


@app.callback()
def _baseline() -> None:
    """Baselines: the committed runs that others are compared with."""


@app.command("update", epilog=epilog("baseline update"))
def update(
    run: Annotated[Path, typer.Argument(help="The run folder that becomes the baseline.", metavar="RUN")],
    baseline: Annotated[
        Path | None, typer.Argument(help="Where it lies. Default: results/baseline/SUITE.", metavar="BASELINE")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the baseline.", metavar="TEXT")] = "",
) -> None:
    """Replace a baseline by a run; show what that changes, and keep the reason and the date."""
    with terminal().status("Comparing"):
        from maskbench.gate import baseline as gate
        from maskbench.gate import report

        place = gate.default_place(run) if baseline is None else baseline
        before = gate.update(run, place, reason)
    sys.stdout.write(report.markdown(before) if before is not None else "There was no baseline before.\n")
    sys.stdout.write(f"\nBaseline: {place}\n")
