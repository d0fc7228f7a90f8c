"""``maskbench list [KIND]``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from maskbench.cli import options
from maskbench.cli.console import terminal

if TYPE_CHECKING:
    from maskbench.plugins.base import Plugin

Header = tuple[str, ...]
Rows = list[tuple[str, ...]]


class Listed(StrEnum):
    """What can be listed."""

    METHODS = "methods"
    ATTACKS = "attacks"
    ADJUSTMENTS = "adjustments"
    DATASETS = "datasets"
    RECOGNIZERS = "recognizers"
    ATTRIBUTIONS = "attributions"
    SUITES = "suites"


def list_(
    kind: Annotated[Listed | None, typer.Argument(help="What to list. Default: what there is to list.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Only the names, one a line.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="In Markdown, with what parameters mean.")] = False,
    plugin: options.Plugins = None,
) -> None:
    """List what is there: built in, installed, or in a file given by --plugin."""
    options.load_plugins(plugin)
    if names and kind in _PLUGINS:
        header, rows = _names(_PLUGINS[kind][0])
    else:
        header, rows = _overview() if kind is None else _listing(kind, markdown)
    _tell_broken()
    if names:
        for row in rows:
            typer.echo(row[0])
        return
    if markdown:
        for row in (header, ("---",) * len(header), *rows):
            typer.echo(f"| {' | '.join(cell.replace('|', '/').replace(chr(10), '<br>') for cell in row)} |")
        return
    table = Table(header_style="bold")
    for number, title in enumerate(header):
        table.add_column(title, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    terminal().print(table)
    if kind is None:
        terminal().print("Next: `maskbench list methods`, or another kind.", highlight=False)
    elif kind is Listed.SUITES:
        terminal().print("Next: `maskbench run quick`, or `maskbench run SUITE --plan` to see what one takes.")


def _tell_broken() -> None:
    from maskbench.plugins.catalogue import catalogue

    for module, reason in sorted(catalogue().broken.items()):
        typer.echo(f"Not read: {module}: {reason}", err=True)


def _overview() -> tuple[Header, Rows]:
    from maskbench.data.load import built_in as data_sets
    from maskbench.planning.built_in import suite_names
    from maskbench.plugins.catalogue import catalogue

    names = catalogue().names  # they are counted without importing what takes seconds
    return ("kind", "how many", "what it is"), [
        (Listed.METHODS, str(len(names("method"))), "ways to desensitize images"),
        (
            Listed.ATTACKS,
            str(len(names("attack"))),
            "ways to restore what a method hid, infer a label, or find the picture",
        ),
        (Listed.ADJUSTMENTS, str(len(names("adjustment"))), "ways in which a recognizer deals with masks: adjust="),
        (Listed.DATASETS, str(len(data_sets())), "data sets with a name; folders and hf:NAME can be read too: --data"),
        (Listed.RECOGNIZERS, str(len(names("recognizer"))), "networks that learn the task: --recognizer"),
        (Listed.ATTRIBUTIONS, str(len(names("attribution"))), "ways to say which pixels matter: attribution="),
        (Listed.SUITES, str(len(suite_names())), "files that say what to run: maskbench run SUITE"),
    ]


def _names(kind: str) -> tuple[Header, Rows]:
    """Names alone, without importing what takes seconds."""
    from maskbench.plugins.catalogue import catalogue

    return ("name",), [(name,) for name in catalogue().names(kind)]


def _plugins(kind: str, what: str, explained: bool) -> tuple[Header, Rows]:
    from maskbench.plugins.catalogue import catalogue
    from maskbench.report.text import plain_words

    parameters = _explained if explained else _parameters
    rows: Rows = [
        (plugin.name, plain_words(plugin.summary()), parameters(plugin), plugin.source)
        for plugin in catalogue().classes(kind)
    ]
    return ("name", what, "parameters", "source"), rows


def _parameters(plugin: type[Plugin]) -> str:
    return "\n".join(f"{name}={field.default}" for name, field in plugin.model_fields.items())


def _explained(plugin: type[Plugin]) -> str:
    """The parameters of its own with what they mean; those that come with its contract are explained there."""
    from maskbench.plugins.base import Plugin

    bases = (base for base in plugin.__mro__ if issubclass(base, Plugin))
    contract = next(base for base in bases if base.__module__.startswith("maskbench.plugins"))
    own = {name: field for name, field in plugin.model_fields.items() if name not in contract.model_fields}
    return "\n".join(f"`{name}={field.default}` {field.description or ''}".rstrip() for name, field in own.items())


def _datasets() -> tuple[Header, Rows]:
    from maskbench.data.load import built_in

    return ("name", "what it is"), [
        *built_in(),
        ("FOLDER", "a folder of classes, or of Parquet files"),
        ("hf:NAME", "a Hugging Face data set"),
    ]


def _suites() -> tuple[Header, Rows]:
    from maskbench.planning.built_in import suite_descriptions

    return ("name", "what it runs"), list(suite_descriptions().items())


_PLUGINS = {
    Listed.METHODS: ("method", "what it does"),
    Listed.ATTACKS: ("attack", "what it does"),
    Listed.ADJUSTMENTS: ("adjustment", "what it does"),
    Listed.RECOGNIZERS: ("recognizer", "what it is"),
    Listed.ATTRIBUTIONS: ("attribution", "what it is"),
}
"""What is listed from the catalogue → its kind there, and the title of the column that describes it."""


def _listing(kind: Listed, explained: bool) -> tuple[Header, Rows]:
    if kind in _PLUGINS:
        return _plugins(*_PLUGINS[kind], explained)
    return _datasets() if kind is Listed.DATASETS else _suites()
