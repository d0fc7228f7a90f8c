"""``maskbench audit RAW RELEASED``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from maskbench.cli import exits, options
from maskbench.cli.console import tell_where, terminal
from maskbench.cli.stopped import told_when_stopped

if TYPE_CHECKING:
    from maskbench.auditing import Audit
    from maskbench.runfolder.folder import RunFolder

_SHOWN = 5  # names of each kind of left-over; the file beside the results has them all

Raw = Annotated[Path, typer.Argument(help="Folder of raw pictures.", metavar="RAW")]
Released = Annotated[Path, typer.Argument(help="Folder of what the tool made of them.", metavar="RELEASED")]
Masks = Annotated[
    Path | None,
    options.about_data(help="Folder of the masks that are handed out: white is kept, black is hidden.", metavar="DIR"),
]
Pairs = Annotated[
    Path | None,
    options.about_data(
        help="Which is whose, where names differ: columns raw and released (and mask).", metavar="FILE.csv"
    ),
]
SuiteName = Annotated[
    str,
    options.about_what_is_run(help="Suite whose attacks and settings are used.", metavar="SUITE"),
]


def audit(
    raw: Raw,
    released: Released,
    masks: Masks = None,
    labels: options.Labels = None,
    pairs: Pairs = None,
    target: options.Target = None,
    sensitive: options.Sensitive = None,
    bins: options.Bins = None,
    require: options.Require = None,
    method: options.Methods = None,
    attack: options.Attacks = None,
    suite: SuiteName = "audit",
    recognizer: options.RecognizerName = None,
    seeds: options.Seeds = None,
    size: options.Size = None,
    limit: options.Limit = None,
    device: options.Device = "auto",
    plugin: options.Plugins = None,
    out: options.Out = None,
    store: options.StoreFolder = None,
    pictures: options.Pictures = True,
    jobs: options.Jobs = None,
    verbose: options.Verbose = False,
) -> None:
    """Measure what a release leaks that any tool made: two folders with pictures of the same names are enough.

    Example: maskbench audit photos blurred --labels photos.csv --target smiling --sensitive person

    Exit codes: 0 done, 1 a limit is not met or cells failed, 2 wrong use.
    """
    console = terminal()
    with console.status("Looking at the pictures"):
        from maskbench import auditing, running
        from maskbench.artifacts.store import Store
        from maskbench.artifacts.store_folder import store_folder
        from maskbench.executors.choose import choose_executor
        from maskbench.executors.hardware import choose_device
        from maskbench.executors.progress import RunProgress
        from maskbench.planning.overrides import Overrides
        from maskbench.report.terminal import print_provisional, print_run
        from maskbench.results.provenance import command_line

        options.load_plugins(plugin)
        found = auditing.prepare(
            raw,
            released,
            masks=masks,
            pairs=pairs,
            overrides=Overrides(
                methods=method,
                attacks=attack,
                seeds=seeds,
                recognizer=recognizer,
                labels=labels,
                target=target,
                sensitive=sensitive,
                bins=bins,
                size=size,
                limit=limit,
            ),
            suite=suite,
            require=require or (),
            out=out,
            store=store,
        )
        executor = choose_executor(Store(store_folder(store)), choose_device(device), jobs)
    _tell(found, console)
    with told_when_stopped(), RunProgress(console) as progress:

        def show(results: RunFolder) -> None:
            progress.stop()
            print_run(results, console, verbose=verbose)

        run = running.run_suite(
            found.suite,
            executor,
            progress,
            out=out,
            command=command_line(sys.argv[1:]),
            pictures=pictures,
            show=show,
            show_provisional=partial(print_provisional, console=console),
        )
    listed = auditing.write_left_out(found.checked, run.path)
    if listed is not None:
        console.print(f"Left out: {escape(str(listed))}", highlight=False, soft_wrap=True)
    judged = found.judge(run)
    for each in judged:
        word = "[green]met[/]" if each.met else "[bold red]not met[/]"
        what = f"{each.requirement} ({each.attack})" if each.attack else str(each.requirement)
        console.print(f"{word}: {escape(what)}: {escape(each.finding)}", highlight=False, soft_wrap=True)
    tell_where(run.path, console)
    if len(run.failed) or not all(each.met for each in judged):
        raise typer.Exit(exits.FAILED)


def _tell(found: Audit, console: Console) -> None:
    """How many pairs there are, what is to be known of them, and which pictures are left out."""
    checked = found.checked

    def say(text: str) -> None:
        console.print(escape(text), highlight=False, soft_wrap=True)

    data = found.suite.data
    inferred = f", {data.sensitive} is to be inferred" if data.sensitive else ", and there is no sensitive label"
    say(f"{checked.pairs} pairs. The recognizer learns {data.target}{inferred}.")
    for note in checked.options.notes:
        say(f"- {note}")
    for what, names in {
        "No released picture has the name of": checked.raw_alone,
        "No raw picture has the name of": checked.released_alone,
        "No mask has the name of": checked.without_mask,
        "No label has": checked.unlabelled,
    }.items():
        if names:
            say(f"- {what} {len(names)}: {', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}")
    for name, reason in list(checked.unreadable.items())[:_SHOWN]:
        say(f"- {name}: {reason}")
