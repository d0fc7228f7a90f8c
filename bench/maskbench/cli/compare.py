"""``maskbench compare BASELINE CURRENT``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from maskbench.cli import options
from maskbench.cli.console import terminal
from maskbench.errors import UsageError

_STANDARD_OUTPUT = "-"


def compare(
    baseline: Annotated[Path, typer.Argument(help="The run folder that is held to be right.", metavar="BASELINE")],
    current: Annotated[Path, typer.Argument(help="The run folder that is judged.", metavar="CURRENT")],
    tolerance: Annotated[
        list[str] | None,
        typer.Option(help="How much worse is no regression; may be repeated.", metavar="METRIC[@METHOD]=VALUE"),
    ] = None,
    require: options.Require = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count inconclusive rows as missing (exit code 4).")] = False,
    timing: Annotated[
        float | None,
        typer.Option(help="Fail where the same stages take more than this many times as long.", metavar="RATIO"),
    ] = None,
    markdown: Annotated[str | None, typer.Option(help="Write a report as Markdown.", metavar="FILE|-")] = None,
    json: Annotated[str | None, typer.Option(help="Write everything as JSON.", metavar="FILE|-")] = None,
    junit: Annotated[str | None, typer.Option(help="Write JUnit XML.", metavar="FILE|-")] = None,
) -> None:
    """Say whether a run is worse than a baseline, by how much, and how sure that is.

    Exit codes: 0 no regression, 1 regressed or a requirement not met, 2 wrong use, 3 nothing to compare or not
    comparable, 4 cells failed or missing. Where several hold, the first of 2, 3, 1, 4.
    """
    wanted = {"markdown": markdown, "json": json, "junit": junit}
    if sum(place == _STANDARD_OUTPUT for place in wanted.values()) > 1:
        raise UsageError("Only one of --markdown, --json and --junit can go to the standard output.")
    with terminal().status("Comparing"):
        from maskbench.gate import compare as gate
        from maskbench.gate import report

        found = gate.compare(
            baseline, current, tolerances=tolerance or (), require=require or (), strict=strict, timing=timing
        )
        texts = {"markdown": report.markdown(found), "json": report.as_json(found), "junit": report.junit(found)}
    for form, place in wanted.items():
        if place is not None and place != _STANDARD_OUTPUT:
            # To the end of a file that is there: a step summary is written by several steps.
            with Path(place).open("a" if form == "markdown" else "w", encoding="utf-8") as file:
                file.write(texts[form])
    shown = next((form for form, place in wanted.items() if place == _STANDARD_OUTPUT), "markdown")
    sys.stdout.write(texts[shown])
    raise typer.Exit(found.exit_code)
