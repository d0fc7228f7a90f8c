"""The pages of the leaderboard: one for each data set and threat model, one that leads to them, and the reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from maskbench.errors import UsageError
from maskbench.report.leaderboard.boards import Board, Table, boards, threat_model
from maskbench.report.leaderboard.bundles import distinct_names
from maskbench.report.leaderboard.scatter import Point, Scatter, scatter
from maskbench.report.text import NOT_MEASURED
from maskbench.results.reading import Value
from maskbench.runfolder.folder import RunFolder
from maskbench.runfolder.verification.verify import Verification

INDEX = "index.html"

_REPORTS = "reports"


def write_leaderboard(
    found: Sequence[Verification],
    names: Sequence[str],
    out: Path,
    write_report: Callable[[RunFolder, Path], Path],
) -> list[Path]:
    """Write the pages; what does not verify is listed with the reason and has no rank.

    Args:
        found: what came of checking each bundle.
        names: of the bundles, all different.
        out: a folder that is empty or not there yet.
        write_report: writes the report of a run into a folder. It is made anew: a report that came with a bundle is
            somebody else's page.

    Returns:
        The pages of the boards; ``index.html`` leads to them.

    Raises:
        UsageError: the folder holds something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already and is not empty: choose another --out. Nothing was written.")
    named = dict(zip(names, found, strict=True))
    runs = {name: each.results for name, each in named.items() if each.verified and each.results is not None}
    refused = {name: each for name, each in named.items() if not each.verified}
    made = boards(runs)
    out.mkdir(parents=True, exist_ok=True)
    addresses = distinct_names(f"{board.dataset} {board.threat_model}" for board in made)
    pages = [out / f"{address}.html" for address in addresses]
    for board, page in zip(made, pages, strict=True):
        own = {name: run for name, run in runs.items() if _is_of(board, run.provenance)}
        tables = [{"table": table, "figure": _figure(table)} for table in board.tables]
        reports = {name: write_report(run, out / _REPORTS / name) for name, run in own.items()}
        bundles = [_about(name, named[name], reports[name].relative_to(out).as_posix()) for name in own]
        others = {
            name: each for name, each in refused.items() if each.results and _is_of(board, each.results.provenance)
        }
        _write(page, "board.html.j2", board=board, tables=tables, bundles=bundles, refused=others)
    listed = [
        {"board": board, "address": page.name, "methods": sum(len(table.ranked) for table in board.tables)}
        for board, page in zip(made, pages, strict=True)
    ]
    _write(out / INDEX, "index.html.j2", boards=listed, refused=refused)
    return pages


def _is_of(board: Board, provenance: Mapping[str, Any]) -> bool:
    return (provenance["data"]["name"], threat_model(provenance)) == (board.dataset, board.threat_model)


def _about(name: str, found: Verification, report: str) -> dict[str, Any]:
    """What a page says of a bundle."""
    assert found.results is not None
    provenance = found.results.provenance
    git = provenance.get("git") or {}
    return {
        "name": name,
        "report": report,
        "command": provenance["command"],
        "finished": provenance["finished"][:10],
        "device": provenance["device"],
        "maskbench": provenance["maskbench"],
        "commit": str(git.get("commit") or "")[:12],
        "notes": found.notes,
        "rows": found.rows,
    }


def _figure(table: Table) -> Scatter | None:
    """Accuracy against leakage; None where there is nothing to compare."""
    points = [
        Point(str(number), each.entry.name, "frontier" if each.on_frontier else "method", each.leakage, each.accuracy)
        for number, each in enumerate(table.ranked, 1)
    ]
    for control in table.controls:
        leaked = control.inference if table.leakage == "inference" else control.restoration
        if control.accuracy and leaked:
            points.append(Point(control.name, control.name, "control", leaked, control.accuracy))
    if len(points) < 2:
        return None
    return scatter([_scaled(point, 100 if table.leakage == "inference" else 1) for point in points])


def _scaled(point: Point, leakage: float) -> Point:
    accuracy, leaked = (
        Value(factor * value.value, factor * value.low, factor * value.high)
        for value, factor in ((point.accuracy, 100), (point.leakage, leakage))
    )
    return Point(point.label, point.title, point.kind, leaked, accuracy)


def _write(file: Path, template: str, **content: Any) -> None:
    style = files("maskbench.report.leaderboard").joinpath("templates", "page.css").read_text(encoding="utf-8")
    file.write_text(_environment().get_template(template).render(style=style, **content), encoding="utf-8")


@cache
def _environment() -> Environment:
    # Everything is escaped, whatever its file is called: names come from bundles that anybody sent.
    loader = PackageLoader("maskbench.report.leaderboard", "templates")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"percent": _percent, "decimal": _decimal, "breakable": _breakable}
    return found


def _breakable(name: str) -> Markup:
    """A name that may be broken where a parameter begins, so that a narrow column does not cut through words."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[:,])", name))


def _percent(value: Value | None) -> tuple[str, str]:
    """Value and interval, in percent."""
    if value is None:
        return NOT_MEASURED, ""
    return f"{100 * value.value:.1f}", f"{100 * value.low:.1f} to {100 * value.high:.1f}"


def _decimal(value: Value | None) -> tuple[str, str]:
    """Value and interval."""
    if value is None:
        return NOT_MEASURED, ""
    return f"{value.value:.3f}", f"{value.low:.3f} to {value.high:.3f}"
