"""The command's entry point: its subcommands, and how errors are shown."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from maskbench.cli import check as check_command
from maskbench.cli import desensitize as desensitize_command
from maskbench.cli import exits
from maskbench.cli import list as list_command
from maskbench.cli import new as new_command
from maskbench.cli import report as report_command
from maskbench.cli import run as run_command
from maskbench.cli import why as why_command
from maskbench.errors import MaskbenchError
from maskbench.version import own_version

app = typer.Typer(
    name="maskbench",
    help="Does masking images before outsourcing their training protect them? Accuracy against what attacks win back.",
    epilog="Add --debug to any command to see the traceback of an error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"maskbench {own_version()}")
        raise typer.Exit


@app.callback()
def _options(
    shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What comes before a subcommand."""


app.command("run")(run_command.run)
app.command("report")(report_command.report)
app.command("list")(list_command.list_)
app.command("new")(new_command.new)
app.command("check")(check_command.check)
app.command("desensitize")(desensitize_command.desensitize)
app.command("why")(why_command.why)


def main() -> None:
    """Run the command; our own errors become one message, with the traceback where ``--debug`` asks for it."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        app()
    except MaskbenchError as error:
        if debug:
            raise
        Console(stderr=True, soft_wrap=True).print(f"[bold red]Error:[/] {_plain(str(error))}", highlight=False)
        sys.exit(exits.WRONG_USE)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
