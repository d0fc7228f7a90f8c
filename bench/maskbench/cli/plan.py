"""What ``maskbench run --plan`` and ``maskbench run`` without a suite say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from maskbench.cli.units import shown_bytes, shown_seconds

if TYPE_CHECKING:
    from rich.console import Console

    from maskbench.executors.forecast import KindForecast


def print_suites(console: Console) -> None:
    """List the suites, each with what it is for and how long it takes where that was seen."""
    from maskbench.planning.built_in import suite_descriptions

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("suite", no_wrap=True)
    table.add_column("what it is for, and how long it takes where that was seen", overflow="fold")
    for name, description in suite_descriptions().items():
        table.add_row(name, escape(description))
    console.print(table)
    console.print("Next: `maskbench run quick` for a first look, or `maskbench run SUITE --plan` to see what it takes.")


def print_plan(kinds: Sequence[KindForecast], cells: int, unavailable: int, jobs: int, console: Console) -> None:
    """Say what a run would do, and what that takes.

    Args:
        cells: of the matrix, seeds included; ``unavailable`` of them cannot run here.
        jobs: stages at work at once.
    """
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("stage")
    for title in ("stages", "stored", "to make", "time", "disk"):
        table.add_column(title, justify="right")
    for kind in kinds:
        open_ = kind.stages - kind.stored
        about = "" if not kind.unlike else "≈ "
        size = "?" if kind.bytes is None else shown_bytes(kind.bytes)
        table.add_row(
            kind.kind,
            str(kind.stages),
            str(kind.stored),
            str(open_),
            f"{about}{shown_seconds(kind.seconds)}" if open_ else "–",
            size if open_ else "–",
        )
    console.print(table)
    open_ = sum(kind.stages - kind.stored for kind in kinds)
    seconds, unlike = sum(kind.seconds for kind in kinds), sum(kind.unlike for kind in kinds)
    missing = f", {unavailable} of them unavailable here" if unavailable else ""
    console.print(f"{cells} cells{missing}; {open_} stages to make.", highlight=False)
    if open_:
        console.print(
            f"Time: {shown_seconds(seconds)} of work"
            + (
                f", about {shown_seconds(seconds / jobs)} by {jobs} stages at once."
                if jobs > 1
                else ", stage by stage."
            ),
            highlight=False,
        )
        known = [kind.bytes for kind in kinds if kind.bytes is not None]
        more = "" if len(known) == len(kinds) else ", and what no stage of that kind has shown yet"
        console.print(f"Disk: {shown_bytes(sum(known))} more in the store{more}.", highlight=False)
    if unlike:
        console.print(
            f"≈: of {unlike} stages no like one was timed here, so theirs is a guess that may be wrong by far.",
            highlight=False,
        )
    console.print("Nothing was run. Next: the same command without --plan.", highlight=False)
