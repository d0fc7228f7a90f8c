"""``maskbench list KIND``."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from maskbench.cli import options
from maskbench.cli.console import terminal

Listing = list[tuple[str, ...]]


class Kind(StrEnum):
    """What can be listed."""

    METHODS = "methods"
    ATTACKS = "attacks"
    ADJUSTMENTS = "adjustments"
    DATASETS = "datasets"
    RECOGNIZERS = "recognizers"
    ATTRIBUTIONS = "attributions"
    SUITES = "suites"


def list_(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    names: Annotated[bool, typer.Option("--names", help="Only the names, one a line.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="In Markdown, with what parameters mean.")] = False,
    plugin: options.Plugins = None,
) -> None:
    """List what is there: built in, installed, or in a file given by --plugin."""
    options.load_plugins(plugin)
    header, rows = _LISTINGS[kind](markdown)
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


def _plugins(kind: str, explained: bool) -> tuple[tuple[str, ...], Listing]:
    from maskbench.plugins.discovery import catalogue

    found = catalogue()
    plugins = [found.get(kind, name) for name in found.names(kind)]
    parameters = _explained if explained else _parameters
    rows = [(plugin.name, plugin.summary(), parameters(plugin), plugin.source) for plugin in plugins]
    for module, reason in found.broken.items():
        typer.echo(f"Not read: {module}: {reason}", err=True)
    return ("name", "what it does", "parameters", "source"), rows


def _parameters(plugin: type) -> str:
    return "\n".join(f"{name}={field.default}" for name, field in plugin.model_fields.items())


def _explained(plugin: type) -> str:
    """The parameters of its own with what they mean; those that come with its contract are explained there."""
    shared = next(base for base in plugin.__mro__ if base.__module__.startswith("maskbench.plugins")).model_fields
    own = {name: field for name, field in plugin.model_fields.items() if name not in shared}
    return "\n".join(f"`{name}={field.default}` {field.description or ''}".rstrip() for name, field in own.items())


def _datasets() -> tuple[tuple[str, ...], Listing]:
    from maskbench.data.load import built_in

    return ("name", "what it is"), [
        *built_in(),
        ("FOLDER", "a folder of classes, or of Parquet files"),
        ("hf:NAME", "a Hugging Face data set"),
    ]


def _recognizers() -> tuple[tuple[str, ...], Listing]:
    from maskbench.models.recognizers import names

    return ("name", "what it is"), list(names())


def _attributions() -> tuple[tuple[str, ...], Listing]:
    from maskbench.attributions.algorithm import algorithms

    rows = [
        (name, (found.__doc__ or "").split("\n", 1)[0], found.source) for name, found in sorted(algorithms().items())
    ]
    return ("name", "what it is", "source"), rows


def _suites() -> tuple[tuple[str, ...], Listing]:
    from maskbench.planning.suite import built_in, load

    return ("name", "what it runs"), [(name, load(name).description) for name in built_in()]


_LISTINGS: dict[Kind, Callable[[bool], tuple[tuple[str, ...], Listing]]] = {
    Kind.METHODS: lambda explained: _plugins("method", explained),
    Kind.ATTACKS: lambda explained: _plugins("attack", explained),
    Kind.ADJUSTMENTS: lambda explained: _plugins("adjustment", explained),
    Kind.DATASETS: lambda _: _datasets(),
    Kind.RECOGNIZERS: lambda _: _recognizers(),
    Kind.ATTRIBUTIONS: lambda _: _attributions(),
    Kind.SUITES: lambda _: _suites(),
}
