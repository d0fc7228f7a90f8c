"""What is shown when a run is over."""

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
from maskbench.report.hidden import hidden_shares
from maskbench.report.tables.summary import caption, headline
from maskbench.report.tables.timing import timing
from maskbench.report.text import NOT_MEASURED, rows_as_text
from maskbench.results.flags.kind import Flag
from maskbench.results.measure import planned_of
from maskbench.results.reading import records
from maskbench.runfolder.folder import RunFolder

_ANY_WIDTH = 10_000  # columns; more than any table needs
_KEPT = 4  # columns of the headline that say what is kept: method, accuracy, utility, shape


def print_run(run: RunFolder, console: Console) -> None:
    """The headline table, the flags on it, the times, and the coverage with the reasons of what is missing."""
    for table in headline_tables(headline(run), console):
        console.print(table)
    console.print(escape(caption(run)), style="dim", highlight=False)
    console.print()
    print_flags(run, console)
    console.print(_table(timing(run)))
    _print_coverage(run, console)


def print_provisional(run: RunFolder, console: Console) -> None:
    """The headline of the first seed alone, while the others are made, and that it is not the result."""
    first = "Provisional: seed 0 alone. The results come when all seeds are done, and may differ."
    console.print(first, style="bold yellow", highlight=False)
    for table in headline_tables(headline(run), console):
        console.print(table)


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


def _cell(row: Mapping[str, Any]) -> str:
    parameters = [row["params"], *([] if pd.isna(row["ratio"]) else [f"ratio={row['ratio']:g}"])]
    given = ",".join(filter(None, parameters))
    attack = "" if row["attack"] == RECOGNITION else f" × {row['attack']}"
    return row["method"] + (f":{given}" if given else "") + attack


def headline_tables(frame: pd.DataFrame, console: Console) -> list[Table]:
    """The headline as one table, or on a narrow terminal as two: what is kept, and what leaks."""
    stacked = _stacked(frame)
    whole = _table(stacked, leading=1)
    unbounded = console.options.update(max_width=_ANY_WIDTH)
    if console.measure(whole, options=unbounded).maximum <= console.width:
        return [whole]
    names = list(stacked.columns)
    parts = stacked[names[:_KEPT]], stacked[[names[0], *names[_KEPT:]]]
    return [_table(part, leading=1) for part in parts]


def _stacked(frame: pd.DataFrame) -> pd.DataFrame:
    """Value, interval and attack below each other, and what is short below its neighbour: fits a narrow terminal."""
    shown = frame.map(lambda cell: cell.replace(" [", "\n[").replace("] (", "]\n").rstrip(")"))
    share = frame["hidden"].map(lambda share: "" if share == NOT_MEASURED else f"\n{share} hidden")
    shown["method"] = frame["method"].map(lambda name: name.replace(":", ":\n").replace(",", ",\n")) + share
    shown["cells"] = frame["cells"] + "\n" + frame["flags"]
    return shown.drop(columns=["hidden", "flags"]).rename(columns={"cells": "cells\nflags"})


def _table(frame: pd.DataFrame, leading: int = 0) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, leading=leading)
    for number, name in enumerate(frame.columns):
        title = str(name).replace(" on ", "\non ").replace(" alone", "\nalone")
        table.add_column(title, justify="left" if number == 0 else "right", no_wrap=True)
    for row in rows_as_text(frame):
        table.add_row(*(escape(cell) for cell in row))
    return table
