"""What is shown when a run is over."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.report.summary import summarize
from bench.report.tables import headline, headline_caption
from bench.report.timing import timing_table
from bench.run import Run

_WIDE = 112  # columns that the whole headline needs
_KEPT = 5  # of its columns say what is kept: method, hidden, accuracy, utility, shape


def print_run(run: Run, folder: Path, console: Console) -> None:
    """The headline table, the coverage with the reasons of what is missing, the times, and where everything lies."""
    cells = run.tables.cells
    for table in _headline(headline(cells, summarize(cells)), console):
        console.print(table)
    console.print(escape(headline_caption(cells)), style="dim", highlight=False)
    console.print()
    console.print(_table(timing_table(run)))
    _print_coverage(run, console)
    console.print(f"Results: {escape(str(folder))}", highlight=False, soft_wrap=True)


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
        return [_table(frame, stacked=True)]
    return [
        _table(frame.iloc[:, :_KEPT], stacked=True),
        _table(frame.iloc[:, [0, *range(_KEPT, frame.shape[1])]], stacked=True),
    ]


def _table(frame: pd.DataFrame, stacked: bool = False) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_lines=False, header_style="bold", pad_edge=False, leading=int(stacked))
    for number, name in enumerate(frame.columns):
        table.add_column(str(name), justify="left" if number == 0 else "right", vertical="top")
    for method, *cells in frame.astype(str).values.tolist():
        name = method.replace(":", ":\n").replace(",", ",\n") if stacked else method
        # Value above, interval below: the table fits a terminal of ordinary width.
        shown = [cell.replace(" [", "\n[").replace("] (", "]\n(") if stacked else cell for cell in cells]
        table.add_row(*(escape(cell) for cell in (name, *shown)))
    return table
