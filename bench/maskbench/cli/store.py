"""``maskbench store {size,prune,verify}``."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from maskbench.artifacts.store_folder import store_folder
from maskbench.cli import exits, options
from maskbench.cli.console import terminal
from maskbench.cli.examples import epilog
from maskbench.cli.units import BYTES, shown_bytes
from maskbench.errors import UsageError

if TYPE_CHECKING:
    from maskbench.artifacts.maintenance import Entry

_TIMES = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_AGES = (("last day", 86_400), ("last week", 7 * 86_400), ("last month", 30 * 86_400))
_NUMBER = r"(\d{1,15}(?:\.\d{1,9})?)"

app = typer.Typer(help="See what fills the store, take away what can go, and find what is damaged.")

Older = Annotated[
    str | None, typer.Option("--older-than", help="What was made longer ago: 12h, 30d, 8w.", metavar="AGE")
]
Superseded = Annotated[
    bool, typer.Option("--superseded", help="What was made again since, with other code or libraries.")
]
DownTo = Annotated[
    str | None,
    typer.Option("--down-to", help="Then the oldest, until so much is left: 500MB, 20GB.", metavar="SIZE"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go, and take nothing away.")]
Repair = Annotated[bool, typer.Option("--repair", help="Take away what is damaged; runs make it again.")]


@app.command("size", epilog=epilog("store size"))
def size(store: options.StoreFolder = None) -> None:
    """Say how much lies in the store: by kind of stage, by data set and by age."""
    from maskbench.artifacts.maintenance import entries, open_store

    console, now = terminal(), time.time()
    root = store_folder(store)
    found = entries(open_store(root))
    groups: dict[str, Callable[[Entry], str]] = {
        "stage": lambda entry: entry.stage,
        "data": lambda entry: entry.data,
        "age": lambda entry: next((name for name, age in _AGES if now - entry.written < age), "older"),
    }
    for title, group in groups.items():
        console.print(_table(title, found, group))
    total = sum(entry.bytes for entry in found)
    console.print(f"{len(found)} artifacts, {shown_bytes(total)}: {escape(str(root))}", highlight=False, soft_wrap=True)


@app.command("prune", epilog=epilog("store prune"))
def prune(
    older_than: Older = None,
    superseded: Superseded = False,
    down_to: DownTo = None,
    dry_run: DryRun = False,
    store: options.StoreFolder = None,
) -> None:
    """Take artifacts away that are old, superseded, or too much; a run that needs one makes it again."""
    from maskbench.artifacts import maintenance

    if older_than is None and not superseded and down_to is None:
        raise UsageError("Say what can go: --older-than 30d, --superseded or --down-to 20GB.")
    before = None if older_than is None else time.time() - read_age(older_than)
    at_most = None if down_to is None else read_size(down_to)
    console = terminal()
    opened = maintenance.open_store(store_folder(store))
    found = maintenance.prune(opened, before=before, replaced=superseded, at_most=at_most, dry_run=dry_run)
    if found.removed:
        console.print(_table("stage", found.removed, lambda entry: entry.stage))
    gone, did = sum(entry.bytes for entry in found.removed), "Would take away" if dry_run else "Took away"
    console.print(
        f"{did} {len(found.removed)} artifacts, {shown_bytes(gone)}; {shown_bytes(found.remaining)} stay.",
        highlight=False,
    )
    if found.in_use:
        console.print(f"{len(found.in_use)} more stay, because runs are making them.", highlight=False)


@app.command("verify", epilog=epilog("store verify"))
def verify(repair: Repair = False, store: options.StoreFolder = None) -> None:
    """Compare every artifact with its checksums, and name what is damaged."""
    from maskbench.artifacts import maintenance

    console = terminal()
    opened = maintenance.open_store(store_folder(store))
    with console.status("Reading") as status:
        checked, damaged = maintenance.verify(
            opened, repair=repair, progress=lambda done, total: status.update(f"{done} of {total}")
        )
    for damage in damaged:
        did = " (taken away)" if damage.removed else ""
        console.print(f"[red]damaged[/] {escape(damage.reason)}{did}", highlight=False, soft_wrap=True)
    console.print(f"{checked} artifacts, {len(damaged)} of them damaged.", highlight=False)
    left = sum(not damage.removed for damage in damaged)
    if left:
        what = "runs are making them: try again" if repair else "--repair takes them away"
        console.print(f"{left} damaged ones are left; {what}.", highlight=False)
        raise typer.Exit(exits.FAILED)


def read_size(text: str) -> int:
    """``20GB`` → bytes; a gigabyte has 10⁹.

    Raises:
        UsageError: it is not written so.
    """
    found = re.fullmatch(rf"{_NUMBER} ?([KMGT]?B)", text.upper(), re.ASCII)
    if found is None:
        raise UsageError(f"--down-to {text}: write a size such as 500MB, 20GB or 0B.")
    return int(float(found[1]) * BYTES[found[2]])


def read_age(text: str) -> float:
    """``30d`` → seconds.

    Raises:
        UsageError: it is not written so.
    """
    found = re.fullmatch(rf"{_NUMBER} ?([mhdw])", text.lower(), re.ASCII)
    if found is None:
        raise UsageError(f"--older-than {text}: write an age in minutes, hours, days or weeks: 90m, 12h, 30d, 8w.")
    return float(found[1]) * _TIMES[found[2]]


def _table(title: str, found: Sequence[Entry], group: Callable[[Entry], str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column(title)
    table.add_column("artifacts", justify="right")
    table.add_column("size", justify="right")
    groups: dict[str, list[int]] = {}
    for entry in found:
        groups.setdefault(group(entry), []).append(entry.bytes)
    for name, sizes in sorted(groups.items(), key=lambda pair: -sum(pair[1])):
        table.add_row(escape(name), str(len(sizes)), shown_bytes(sum(sizes)))
    return table
