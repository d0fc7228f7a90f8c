"""``maskbench why KEY``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from maskbench.cli import options
from maskbench.cli.console import terminal


def why(
    key: Annotated[str, typer.Argument(help="An artifact's key, or its first characters; see a run's timings.csv.")],
    store: options.StoreFolder = None,
) -> None:
    """Say what a stored artifact is made of, and what made it differ from the one before."""
    from maskbench.artifacts.store import Store
    from maskbench.artifacts.store_folder import store_folder
    from maskbench.artifacts.why import find, trace

    console = terminal()
    found = Store(store_folder(store))
    full = find(found, key)
    body = found.describe(full)
    timing, ingredients = body["timing"], body["ingredients"]
    written = datetime.fromtimestamp(body["written"]).isoformat(sep=" ", timespec="seconds")
    console.print(f"[bold]{escape(body['slot'])}[/]", highlight=False)
    console.print(
        f"key {full}\nmade {written} in {timing['seconds']:.2f} s on {timing['device']}",
        highlight=False,
        soft_wrap=True,
    )
    table = Table("ingredient", "value", header_style="bold")
    for part, one in (("parameters", "parameter"), ("inputs", "input"), ("libraries", "library")):
        for name, value in ingredients[part].items():
            table.add_row(f"{one} {name}", escape(str(value)[:80]))
    table.add_row("source", escape(", ".join(ingredients["sources"])))
    table.add_row("device", ingredients["device_type"])
    for name, value in ingredients.get("numerics", {}).items():
        table.add_row(name, str(value))
    console.print(table)
    for depth, title, changes in trace(found, full):
        indent = "  " * depth
        if not changes:
            console.print(f"{indent}{escape(title)}: nothing was made before it for this purpose.", highlight=False)
            continue
        console.print(f"{indent}{escape(title)} was made again because:", highlight=False)
        for what, before, after in changes:
            console.print(
                f"{indent}  {escape(what)}: {escape(before)} → {escape(after)}",
                highlight=False,
                soft_wrap=True,
            )
