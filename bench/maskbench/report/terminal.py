"""What is shown when a run is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maskbench.plugins.reserved import RECOGNITION
from maskbench.report.cell_text import NOT_MEASURED, hidden
from maskbench.report.judgement import Judgement
from maskbench.report.tables import headline, headline_caption
from maskbench.report.timing import timing_table
from maskbench.results.flag import KINDS, Flag
from maskbench.running import Run

_ANY_WIDTH = 10_000  # columns; more than any table needs
_KEPT = 4  # columns of the headline that say what is kept: method, accuracy, utility, shape


def print_run(run: Run, judgement: Judgement, console: Console) -> None:
    """The headline table, the flags on it, the times, and the coverage with the reasons of what is missing."""
    for table in headline_tables(headline(judgement), console):
        console.print(table)
    console.print(escape(headline_caption(judgement)), style="dim", highlight=False)
    console.print()
    print_flags(judgement.flags, console)
    console.print(_table(timing_table(run)))
    _print_coverage(run, console)


def print_flags(flags: Sequence[Flag], console: Console) -> None:
    """A line for each kind of flag: what was seen, where, and what to do. The numbers are in ``tables/flags``."""
    if not flags:
        return
    levels = Counter(flag.kind.level for flag in flags)
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
    for kind in KINDS:
        found = [flag for flag in flags if flag.kind is kind]
        if found:
            style = "yellow" if kind.level == "warning" else "dim"
            where = "; ".join(dict.fromkeys(map(_where, found)))
            table.add_row(
                f"[{style}]{kind.mark}[/]", f"[{style}]{escape(kind.title)}[/]: {escape(where)}. {escape(kind.action)}"
            )
    console.print(table, highlight=False)
    console.print()


def _where(flag: Flag) -> str:
    if not flag.method:
        return flag.finding
    ratio = "" if pd.isna(flag.ratio) else f" {hidden(flag.ratio)}"
    return f"{flag.method}{ratio} × {flag.attack}" + (f" ({flag.label})" if flag.label else "")


def _print_coverage(run: Run, console: Console) -> None:
    counts = Counter(result.status for result in run.results)
    total = len(run.results)
    console.print(f"Coverage: {counts['ok']} of {total} cells ok ({counts['ok'] / total:.0%}).", highlight=False)
    for status, style in (("failed", "red"), ("unavailable", "yellow")):
        reasons: dict[str, list[str]] = {}
        for result in run.results:
            if result.status == status:
                attack = "" if result.cell.attack == RECOGNITION else f" × {result.cell.attack_name}"
                reasons.setdefault(result.reason, []).append(f"{result.cell.method.label()}{attack}")
        for reason, cells in reasons.items():
            named = ", ".join(dict.fromkeys(cells))
            console.print(f"[{style}]{len(cells)} {status}[/]: {escape(reason)} ({escape(named)})", highlight=False)


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
    for row in frame.astype(str).values.tolist():
        table.add_row(*(escape(cell) for cell in row))
    return table
