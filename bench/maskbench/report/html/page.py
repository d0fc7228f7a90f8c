"""The page itself: sections and data put into its template."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from maskbench.report.captions import run_caption
from maskbench.report.discovery import tables
from maskbench.report.html import comparison, coverage, described, provenance
from maskbench.report.html.curves import curve_panels
from maskbench.report.html.efficiency import efficiencies
from maskbench.report.html.every_number import every_number
from maskbench.report.html.flags import flagged
from maskbench.report.html.glance import glance
from maskbench.report.html.grids import picture_grids
from maskbench.report.html.leakage import leakage_sections
from maskbench.report.html.plot import plot_data
from maskbench.report.html.shape import shapes
from maskbench.report.html.shown import ShownTable
from maskbench.report.html.timing import timing_tables
from maskbench.report.named import NamedRun
from maskbench.report.phrases import duration
from maskbench.report.style import method_styles
from maskbench.report.tables.summary import AT_EQUAL_LEAKAGE
from maskbench.report.tables.summary import caption as headline_caption
from maskbench.report.verdict import verdict
from maskbench.results.measure import planned_of
from maskbench.results.reading import ATTACKS
from maskbench.runfolder.folder import RunFolder

NAME = "report.html"

_SCRIPTS = ("theme.js", "tables.js", "labels.js", "plot.js", "curves.js")
_ELSEWHERE = ("flags", "timing", "aux-curve", *(f"attacks-{kind}" for kind in ATTACKS))
"""Tables of a run that the page shows in a form of its own."""

_HEADLINE = (
    "What each method keeps, and what it leaks to the strongest attack, whose name stands in brackets. Value [95 % "
    "interval]. Higher accuracy and utility are better; of all that is said of attacks, lower is."
)


def write_report(run: RunFolder, folder: Path) -> Path:
    """Write ``report.html``: all of a run on one page, which opens without network and without the files beside it."""
    named = NamedRun(str(run.provenance.get("suite", {}).get("name", "run")), run)
    return _write(folder / NAME, "report.html.j2", _of_one(named))


def write_comparison(runs: Sequence[NamedRun], file: Path) -> Path:
    """Write one page that shows several runs side by side.

    Raises:
        UsageError: their threat models differ.
    """
    comparison.refuse_other_threat_models(runs)
    return _write(file, "comparison.html.j2", _of_several(runs))


def _of_one(run: NamedRun) -> dict[str, Any]:
    results = run.results
    styles = method_styles([results.cells])
    covered = coverage.coverage(results)
    return {
        "title": f"{run.name} on {results.cells['dataset'].iloc[0]}",
        "run": run,
        "headline_caption": headline_caption(results),
        "inferred": results.inferred,
        "verdict": verdict(results),
        "glance": glance(results),
        "plot": plot_data([run], styles),
        "tables": _tables(results),
        "leakage": leakage_sections(results),
        "shapes": shapes(results),
        "efficiency": efficiencies(results),
        "grids": picture_grids(results),
        "curves": curve_panels(results, styles),
        "coverage": covered,
        "not_applied": coverage.not_applied(covered),
        "missing": coverage.missing(results),
        "methods": described.described("method", results.provenance.get("methods", ())),
        "attacks": described.described("attack", results.provenance["attacks"])
        + described.attacks_made_of_others(results.cells["attack"]),
        "not_asked_for": described.attacks_not_asked_for(results.provenance["attacks"]),
        "flags": flagged(results),
        "timing": timing_tables(results),
        "seconds": results.provenance["seconds"],
        "numbers": every_number([run]),
        "facts": provenance.facts(results),
        "not_measured": provenance.not_measured(results),
        "json": provenance.as_json(results),
    }


def _of_several(runs: Sequence[NamedRun]) -> dict[str, Any]:
    styles = method_styles([run.results.cells for run in runs])
    groups = comparison.comparable_groups(runs)
    return {
        "title": " and ".join(run.name for run in runs),
        "runs": runs,
        "verdicts": [(run, verdict(run.results)) for run in runs],
        "plot": plot_data(runs, styles),
        "curves": [],
        "refusals": comparison.refusals(groups),
        "groups": [comparison.side_by_side(group) for group in groups if len(group) > 1],
        "numbers": every_number(runs),
        "facts": [(run, provenance.facts(run.results)) for run in runs],
    }


def _tables(run: RunFolder) -> dict[str, ShownTable]:
    """The tables of the run that have rows: the headline by its name, and those that no section shows otherwise."""
    found = {}
    for table in tables():
        if table.name not in _ELSEWHERE:
            frame = table.build(run)
            if len(frame):
                if table.name == "summary":
                    frame = frame.drop(columns=_said_elsewhere(run), errors="ignore")
                # What the run is about stands above already.
                caption = _HEADLINE if table.name == "summary" else table.caption(run).removeprefix(run_caption(run))
                found[table.name] = ShownTable.of(table.name, caption, frame)
    return found


def _said_elsewhere(run: RunFolder) -> list[str]:
    """Columns of the headline that a table below it has, or that say of all methods that every cell ran."""
    whole = bool((planned_of(run.cells)["status"] == "ok").all())
    return [*AT_EQUAL_LEAKAGE, *(["cells"] if whole else [])]


def _write(file: Path, template: str, content: dict[str, Any]) -> Path:
    page = _environment().get_template(template).render(**content, **_assets())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")
    return file


@cache
def _environment() -> Environment:
    # Everything is escaped, whatever its file is called: names and reasons come from plug-ins.
    loader = PackageLoader("maskbench.report.html", "templates")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"breakable": _breakable, "duration": duration}
    return found


def _breakable(name: str) -> Markup:
    """A name that may be broken where a parameter begins, so that a narrow column does not cut through words."""
    return Markup(re.sub(r"([:,=])", r"\1<wbr>", str(escape(name))))


@cache
def _assets() -> dict[str, Markup]:
    """Style and scripts, which are our own and plotly's: what stands in the page as it is."""
    folder = files("maskbench.report.html") / "assets"
    scripts = (folder.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return {
        "style": Markup(folder.joinpath("page.css").read_text(encoding="utf-8")),
        "plotly": Markup(get_plotlyjs()),
        "scripts": Markup("\n".join(scripts)),
    }
