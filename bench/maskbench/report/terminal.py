"""What is shown when a run is over: the verdict, one table, how to read it; and, if asked for, the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maskbench.plugins.reserved import RECOGNITION
from maskbench.report.captions import run_caption
from maskbench.report.hidden import hidden_shares
from maskbench.report.narrow import fitting, legend, traced
from maskbench.report.summary import summarize
from maskbench.report.tables.timing import timing
from maskbench.report.text import rows_as_text
from maskbench.report.verdict import verdict
from maskbench.results.flags.kind import Flag
from maskbench.results.measure import planned_of
from maskbench.results.reading import records
from maskbench.runfolder.folder import RunFolder


def print_run(run: RunFolder, console: Console, *, verbose: bool = False) -> None:
    """The verdict, the table of methods and how to read it.

    Args:
        verbose: the cautions, flags, times and coverage as well, with the reasons of what is missing.
    """
    found = verdict(run)
    *answer, measured = found.sentences
    for sentence in (*answer, *(f"- {finding}" for finding in found.findings), measured):
        console.print(escape(sentence), highlight=False)
    console.print()
    _print_methods(run, console)
    if not verbose:
        _print_incomplete(run, console)
        return
    console.print()
    console.print(escape(run_caption(run)), style="dim", highlight=False)
    console.print()
    for caution in found.cautions:
        console.print(f"[yellow]•[/] {escape(caution)}", highlight=False)
    console.print()
    print_flags(run, console)
    console.print(_table(timing(run)))
    _print_coverage(run, console)


def print_provisional(run: RunFolder, console: Console) -> None:
    """The table of the first seed alone, while the others are made, and that it is not the result."""
    first = "Provisional: the first seed alone. The results come when all seeds are done, and may differ."
    console.print(first, style="bold yellow", highlight=False)
    _print_methods(run, console)


def _print_methods(run: RunFolder, console: Console) -> None:
    summary = summarize(run)
    form = fitting(run, summary, console.width)
    console.print(_table(form))
    rest = traced(run, summary, form)
    if len(rest):
        console.print()
        console.print(_table(rest))
    for line in legend(run, summary, form, console.width):
        console.print(escape(line), style="dim", highlight=False)


def print_flags(run: RunFolder, console: Console) -> None:
    """A line for each kind of flag: what was seen, where, and what to do. The numbers are in ``tables/flags``."""
    flags, hidden = run.flags, hidden_shares(run.cells)
    if not flags:
        return
    levels = Counter(flag.level for flag in flags)
    counted = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in levels.items())
    table = Table(
        box=None,
        show_header=False,
        pad_edge=False,
        title=f"Flags: {counted} (numbers in tables/flags.md)",
        title_justify="left",
    )
    table.title_style = "bold"
    table.add_column(no_wrap=True)
    table.add_column()
    for mark, found in groupby(flags, key=lambda flag: flag.mark):
        alike = list(found)
        style = "yellow" if alike[0].level == "warning" else "dim"
        where = "; ".join(dict.fromkeys(_where(flag, hidden) for flag in alike))
        text = f"[{style}]{escape(alike[0].title)}[/]: {escape(where)}. {escape(alike[0].action)}"
        table.add_row(f"[{style}]{mark}[/]", text)
    console.print(table, highlight=False)
    console.print()


def _where(flag: Flag, hidden: Callable[[str, float], str]) -> str:
    if not flag.method:
        return flag.finding
    share = "" if pd.isna(flag.ratio) else f" {hidden(flag.method, flag.ratio)}"
    return f"{flag.method}{share} × {flag.attack}" + (f" ({flag.label})" if flag.label else "")


def _print_coverage(run: RunFolder, console: Console) -> None:
    planned = planned_of(run.cells)
    counts = Counter(planned["status"])
    console.print(
        f"Coverage: {counts['ok']} of {len(planned)} cells ok ({counts['ok'] / len(planned):.0%}).", highlight=False
    )
    for status, style in (("failed", "red"), ("unavailable", "yellow")):
        for reason, part in planned[planned["status"] == status].groupby("reason", sort=False):
            named = ", ".join(dict.fromkeys(map(_cell, records(part))))
            text = f"[{style}]{len(part)} {status}[/]: {escape(str(reason))} ({escape(named)})"
            console.print(text, highlight=False)


def _print_incomplete(run: RunFolder, console: Console) -> None:
    planned = planned_of(run.cells)
    counts = Counter(planned["status"])
    if counts["ok"] < len(planned):
        missing = ", ".join(f"{counts[status]} {status}" for status in ("failed", "unavailable") if counts[status])
        text = f"Coverage: {counts['ok']} of {len(planned)} cells ok, {missing}; --verbose tells why."
        console.print(text, style="red" if counts["failed"] else "yellow", highlight=False)


def _cell(row: Mapping[str, Any]) -> str:
    parameters = [row["params"], *([] if pd.isna(row["ratio"]) else [f"ratio={row['ratio']:g}"])]
    given = ",".join(filter(None, parameters))
    attack = "" if row["attack"] == RECOGNITION else f" × {row['attack']}"
    return row["method"] + (f":{given}" if given else "") + attack


def _table(frame: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for number, name in enumerate(frame.columns):
        table.add_column(escape(str(name)), justify="left" if number == 0 else "right", overflow="fold")
    for row in rows_as_text(frame):
        table.add_row(*(escape(cell) for cell in row))
    return table
