"""``maskbench check NAME|FILE``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from maskbench.cli import exits, options
from maskbench.cli.console import terminal
from maskbench.errors import UsageError, unknown

if TYPE_CHECKING:
    from maskbench.conformance.suite import Report
    from maskbench.plugins.base import Plugin

_COLOURS = {"ok": "green", "failed": "bold red", "not checked": "yellow"}


def check(
    plugins: Annotated[
        list[str] | None,
        typer.Argument(help="Names (NAME or NAME:parameter=value,…) or Python files.", metavar="[NAME|FILE.py]..."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Check everything that `maskbench list` shows.")] = False,
    plugin: options.Plugins = None,
) -> None:
    """Check that plug-ins keep their contract, and say what to do where one does not."""
    from maskbench.conformance.suite import examine
    from maskbench.plugins.catalogue import catalogue

    console = terminal()
    options.load_plugins(plugin)
    if bool(plugins) == everything:
        raise UsageError("Name what to check, as in `maskbench check random` or `check my_method.py`, or say --all.")
    reports = []
    for chosen, parameters in _everything() if everything else _chosen(plugins or []):
        with console.status(f"Checking {getattr(chosen, 'name', chosen.__name__)}"):
            reports.append(examine(chosen, parameters))
    console.print(_details(reports[0]) if len(reports) == 1 else _overview(reports))
    for report in reports:
        if report.failures:
            console.print(f"\n[bold]{report.kind} {escape(report.name)}[/] does not keep its contract:")
            for failure in report.failures:
                console.print(f"- {escape(str(failure))}", highlight=False, soft_wrap=True)
    broken = catalogue().broken if everything else {}
    for module, reason in broken.items():
        console.print(f"- Not read: {escape(module)}: {escape(reason)}", highlight=False, soft_wrap=True)
    if broken or any(report.failures for report in reports):
        raise typer.Exit(exits.FAILED)
    if len(reports) == 1 and reports[0].kind in _ASKED_FOR_BY:
        files = [*(f"--plugin {file}" for file in plugin or []), *_files(plugins or [])]
        # A plug-in of a file is not among those of the suite, and joins them; what comes with maskbench runs alone.
        beside = "+" if files and reports[0].kind != "recognizer" else ""
        words = ["maskbench run quick", *files, f"{_ASKED_FOR_BY[reports[0].kind]} {beside}{reports[0].name}"]
        console.print(f"Next: `{escape(' '.join(words))}`.", highlight=False, soft_wrap=True)


_ASKED_FOR_BY = {"method": "-m", "attack": "-a", "recognizer": "--recognizer"}
"""Kind of plug-in → the option of ``maskbench run`` that names one."""


def _files(texts: list[str]) -> list[str]:
    return [f"--plugin {text}" for text in texts if text.endswith(".py")]


Chosen = list[tuple["type[Plugin]", Mapping[str, Any]]]


def _everything() -> Chosen:
    from maskbench.conformance.suite import CHECKED
    from maskbench.plugins.catalogue import catalogue

    return [(plugin, {}) for kind in CHECKED for plugin in catalogue().classes(kind)]


def _chosen(texts: list[str]) -> Chosen:
    chosen: Chosen = []
    for text in texts:
        chosen += _of_file(Path(text)) if text.endswith(".py") else _of_name(text)
    return chosen


def _of_name(text: str) -> Chosen:
    """The plug-ins of a name; a method and an attack may share one."""
    from maskbench.conformance.suite import CHECKED
    from maskbench.plugins.catalogue import catalogue
    from maskbench.plugins.names import parse

    name, parameters = parse(text)
    names = {kind: catalogue().names(kind) for kind in CHECKED}
    chosen: Chosen = [(catalogue().get(kind, name), parameters) for kind in CHECKED if name in names[kind]]
    if not chosen:
        error = unknown("plug-in", name, [known for of_kind in names.values() for known in of_kind])
        reasons = "; ".join(f"{module}: {reason}" for module, reason in catalogue().broken.items())
        raise UsageError(f"{error} Not read: {reasons}") if reasons else error
    return chosen


def _of_file(path: Path) -> Chosen:
    """The plug-ins of a file, which may be one of those that are found anyway."""
    from maskbench.plugins.catalogue import origin
    from maskbench.plugins.files import add_file

    def there() -> Chosen:
        return [chosen for chosen in _everything() if Path(origin(chosen[0])).resolve() == path.resolve()]

    if not there():
        add_file(path)
    if not there():
        raise UsageError(f"{path} holds data sources alone, and there are no checks of those.")
    return there()


def _details(report: Report) -> Table:
    table = Table("check", "result", "remark", title=f"{report.kind} {escape(report.name)}", header_style="bold")
    for result in report.results:
        remark = "see below" if result.status == "failed" else result.detail
        table.add_row(result.check.name, f"[{_COLOURS[result.status]}]{result.status}[/]", escape(remark))
    return table


def _overview(reports: list[Report]) -> Table:
    table = Table("plug-in", "ok", "failed", "not checked", header_style="bold")
    for report in reports:
        names = {status: [it.check.name for it in report.results if it.status == status] for status in _COLOURS}
        skipped = [f"{it.check.name}: {it.detail}" for it in report.results if it.status == "not checked"]
        failed = f"[bold red]{', '.join(names['failed'])}[/]"
        row = (f"{report.kind} {report.name}", str(len(names["ok"])), failed, escape("; ".join(skipped)))
        table.add_row(*row)
    return table
