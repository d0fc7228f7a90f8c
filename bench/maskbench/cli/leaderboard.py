"""``maskbench leaderboard FOLDER…``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from maskbench.cli.console import terminal


def leaderboard(
    folders: Annotated[
        list[Path], typer.Argument(help="Run folders, or folders that hold some, such as results.", metavar="FOLDER...")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the pages; it must be empty.", metavar="FOLDER")],
) -> None:
    """Rank the methods of run folders that verify: a static page for each data set and threat model."""
    console = terminal()
    with console.status("Reading") as status:
        from maskbench.report.html.page import write_report
        from maskbench.report.leaderboard.bundles import bundle_names, bundles_in
        from maskbench.report.leaderboard.page import INDEX, write_leaderboard
        from maskbench.runfolder.verification.verify import verify

        bundles = bundles_in(folders)
        found = []
        for bundle in bundles:
            status.update(f"Checking {escape(bundle.name)}")
            found.append(verify(bundle))
        status.update("Writing pages")
        pages = write_leaderboard(found, bundle_names(bundles), out, write_report)
    for each in found:
        if not each.verified:
            more = f" (and {len(each.problems) - 1} more)" if len(each.problems) > 1 else ""
            reason = escape(f"{each.folder}: {each.problems[0]}{more}")
            console.print(f"[yellow]Not ranked:[/] {reason}", highlight=False, soft_wrap=True)
    verified = sum(each.verified for each in found)
    console.print(f"{verified} of {len(found)} bundles verify; {len(pages)} boards.", highlight=False)
    console.print(f"Next: open {escape(str(out / INDEX))}", highlight=False, soft_wrap=True)
