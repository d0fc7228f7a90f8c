"""``maskbench new {method,attack} NAME``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from maskbench.cli.console import terminal
from maskbench.errors import UsageError


class Written(StrEnum):
    """What can be written."""

    METHOD = "method"
    ATTACK = "attack"


class AttackKind(StrEnum):
    """What an attack gives back: images, a label, or how like candidates are."""

    RESTORATION = "restoration"
    INFERENCE = "inference"
    MATCHING = "matching"


def new(
    kind: Annotated[Written, typer.Argument(help="What to write.")],
    name: Annotated[str, typer.Argument(help="Its name: lower case, words joined by hyphens.")],
    attack_kind: Annotated[
        AttackKind | None, typer.Option("--kind", help="Of an attack: what it gives back. Default: restoration.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where to write. Default: methods/ or attacks/ and its tests in a maskbench checkout, else here.",
            metavar="FOLDER",
        ),
    ] = None,
) -> None:
    """Write a new plug-in that runs as it is, and its test."""
    from maskbench.conformance.scaffold import write

    if kind is Written.METHOD and attack_kind is not None:
        raise UsageError("--kind says what an attack gives back; a method has none.")
    template = "method" if kind is Written.METHOD else (attack_kind or AttackKind.RESTORATION).value
    code, test = (_short(path) for path in write(kind.value, template, name, folder))
    console = terminal()
    console.print(f"Wrote {code} and its test {test}. Next:", highlight=False, soft_wrap=True)
    # A file in a checkout's methods/ or attacks/ is found by its name; another one is named.
    found = code.parent.name == f"{kind.value}s" and not code.is_absolute() and folder is None
    given = "" if found else f" --plugin {code}"
    console.print(
        f"  maskbench check {name if found else code}\n  pytest {test}\n"
        f"  maskbench run quick --{kind.value} +{name}{given}",
        highlight=False,
        soft_wrap=True,
    )


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
