"""The subcommands of the program, as the command line parses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from maskbench.cli.main import app
from typer.core import TyperGroup


def _commands(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(group, TyperGroup):
        for key, each in group.commands.items():
            yield from _commands(each, f"{name} {key}".strip())
    else:
        yield name, group


COMMANDS: dict[str, Any] = dict(_commands(typer.main.get_command(app)))
"""Every command, by its full name."""
