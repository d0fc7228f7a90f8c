"""The command's entry point: its subcommands, and how errors are shown."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from maskbench.cli import baseline as baseline_command
from maskbench.cli import check as check_command
from maskbench.cli import compare as compare_command
from maskbench.cli import desensitize as desensitize_command
from maskbench.cli import exits
from maskbench.cli import leaderboard as leaderboard_command
from maskbench.cli import list as list_command
from maskbench.cli import merge as merge_command
from maskbench.cli import new as new_command
from maskbench.cli import report as report_command
from maskbench.cli import run as run_command
from maskbench.cli import store as store_command
from maskbench.cli import verify as verify_command
from maskbench.cli import why as why_command
from maskbench.cli.console import prepare_streams
from maskbench.errors import MaskbenchError, PartFailed, UsageError
from maskbench.version import own_version


class _Commands(TyperGroup):
    """The commands; a plug-in that ends the process where it is only asked something does not end one silently."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except SystemExit as left:
            place = traceback.extract_tb(left.__traceback__)[-1]
            raise UsageError(
                f"The command was ended by sys.exit({left.code!r}) in {place.filename}:{place.lineno}: plug-ins must "
                "not end the process."
            ) from left


app = typer.Typer(
    name="maskbench",
    cls=_Commands,
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
app.command("merge")(merge_command.merge)
app.command("report")(report_command.report)
app.command("compare")(compare_command.compare)
app.add_typer(baseline_command.app, name="baseline")
app.command("verify")(verify_command.verify)
app.command("leaderboard")(leaderboard_command.leaderboard)
app.command("list")(list_command.list_)
app.command("new")(new_command.new)
app.command("check")(check_command.check)
app.command("desensitize")(desensitize_command.desensitize)
app.command("why")(why_command.why)
app.add_typer(store_command.app, name="store", no_args_is_help=True)


def main() -> None:
    """Run the command; our own errors become one message, with the traceback where ``--debug`` asks for it."""
    prepare_streams()
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        app()
    except MaskbenchError as error:
        if debug:
            raise
        _fail(str(error), exits.FAILED if isinstance(error, PartFailed) else exits.WRONG_USE)
    except OSError as error:
        if debug:
            raise
        _fail(_told(error))
    except RuntimeError as error:
        # What Path.expanduser raises for "~nobody", and where there is no home folder at all.
        if debug or "home directory" not in str(error):
            raise
        _fail("A path that begins with ~ was named, and there is no such home folder: write the path in full.")


def _fail(message: str, code: int = exits.WRONG_USE) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]Error:[/] {escape(message)}", highlight=False)
    sys.exit(code)


def _told(error: OSError) -> str:
    """What the system says, and of what: ``Permission denied: 'a/b'``."""
    names = [repr(str(name)) for name in (error.filename, error.filename2) if name is not None]
    where = f": {' and '.join(names)}." if names else ". With --debug you see where."
    return f"{error.strerror or error}{where}"
