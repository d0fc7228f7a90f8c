"""What is shown when a run is over."""

from __future__ import annotations

from collections import Counter

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.report.summary import summarize
from bench.report.tables import NOT_MEASURED, headline, headline_caption
from bench.report.timing import timing_table
from bench.run import Run

_WIDE = 126  # columns that the whole headline needs
_KEPT = 5  # of its columns say what is kept: method, hidden, accuracy, utility, shape


def print_run(run: Run, console: Console) -> None:
    """The headline table, the coverage with the reasons of what is missing, and the times."""
    cells = run.tables.cells
    for table in _headline(headline(cells, summarize(cells)), console):
        console.print(table)
    console.print(escape(headline_caption(cells)), style="dim", highlight=False)
    console.print()
    console.print(_table(timing_table(run)))
    _print_coverage(run, console)


def _print_coverage(run: Run, console: Console) -> None:
    counts = Counter(result.status for result in run.results)
    total = len(run.results)
    console.print(f"Coverage: {counts['ok']} of {total} cells ok ({counts['ok'] / total:.0%}).", highlight=False)
    for status, style in (("failed", "red"), ("unavailable", "yellow")):
        reasons: dict[str, list[str]] = {}
        for result in run.results:
            if result.status == status:
                attack = f" × {result.cell.attack.label()}" if result.cell.attack else ""
                reasons.setdefault(result.reason, []).append(f"{result.cell.method.label()}{attack}")
        for reason, cells in reasons.items():
            named = ", ".join(dict.fromkeys(cells))
            console.print(f"[{style}]{len(cells)} {status}[/]: {escape(reason)} ({escape(named)})", highlight=False)


def _headline(frame: pd.DataFrame, console: Console) -> list[Table]:
    """The headline as one table, or on a narrow terminal as two: what is kept, and what leaks."""
    if console.width >= _WIDE:
        parts = [frame]
    else:
        names = list(frame.columns)
        parts = [frame[[*names[:2], *names[2:_KEPT]]], frame[[*names[:2], *names[_KEPT:]]]]
    return [_table(_stacked(part), leading=1) for part in parts]


def _stacked(frame: pd.DataFrame) -> pd.DataFrame:
    """Value, interval and attack below each other, the hidden share below the method: narrow enough for a terminal."""
    shown = frame.drop(columns="hidden").map(lambda cell: cell.replace(" [", "\n[").replace("] (", "]\n").rstrip(")"))
    hidden = frame["hidden"].map(lambda share: "" if share == NOT_MEASURED else f"\n{share} hidden")
    shown["method"] = frame["method"].map(lambda name: name.replace(":", ":\n").replace(",", ",\n")) + hidden
    return shown


def _table(frame: pd.DataFrame, leading: int = 0) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, leading=leading)
    for number, name in enumerate(frame.columns):
        title = str(name).replace(" on ", "\non ").replace(" alone", "\nalone")
        table.add_column(title, justify="left" if number == 0 else "right", no_wrap=True)
    for row in frame.astype(str).values.tolist():
        table.add_row(*(escape(cell) for cell in row))
    return table
