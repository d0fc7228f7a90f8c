"""``maskbench verify BUNDLE…``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from maskbench.cli import exits
from maskbench.cli.console import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from maskbench.runfolder.verification.verify import Verification


def verify(
    bundles: Annotated[
        list[Path], typer.Argument(help="Folders that `maskbench run` has written.", metavar="BUNDLE...")
    ],
) -> None:
    """Check that the numbers of a run folder are those of its samples, and that nothing in it was changed.

    Computes every number, the choice of the strongest attacks and the flags again; compares checksums, splits and
    versions. Exit codes: 0 all verify, 1 one does not, 2 wrong use.
    """
    console = terminal()
    with console.status("Reading") as status:
        from maskbench.runfolder.verification.verify import verify as verification

        found = []
        for bundle in bundles:
            status.update(f"Checking {escape(bundle.name)}")
            found.append(verification(bundle))
    for each in found:
        _print(each, console)
    if any(each.verified for each in found):
        console.print(
            "Times, pictures and versions cannot be computed again: checksums alone hold them. A run that was made up "
            "whole passes, so type the command in run.json again where much depends on it.",
            highlight=False,
        )
        console.print("Next: `maskbench leaderboard FOLDER --out DIR` ranks bundles that verify.", highlight=False)
    if not all(each.verified for each in found):
        raise typer.Exit(exits.FAILED)


def _print(found: Verification, console: Console) -> None:
    name = escape(str(found.folder))
    if found.verified:
        verdict = f"[green]verifies[/]: {found.rows} rows of cells computed again from the samples, all the same."
    else:
        verdict = "[bold red]does not verify[/]:"
    console.print(f"{name} {verdict}", highlight=False, soft_wrap=True)
    for problem in found.problems:
        console.print(f"  - {escape(problem)}", highlight=False, soft_wrap=True)
    for note in found.notes:
        console.print(f"  [dim]Note:[/] {escape(note)}", highlight=False, soft_wrap=True)
