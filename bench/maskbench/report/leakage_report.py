"""The leakage report: what a run says to whoever answers for a release, under the headings of such an assessment.

It is made from a run folder alone, as data (``leakage-report.json``) and as text that prints (``leakage-report.md``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from maskbench.plugins.reserved import BESIDE, STACKED
from maskbench.report import leakage_words as words
from maskbench.report.hidden import method_names
from maskbench.report.leakage_risks import claims, exposures, group_rows
from maskbench.report.summary import summarize, value_of
from maskbench.report.text import percent, to_markdown
from maskbench.results.measure import planned_of
from maskbench.results.reading import records
from maskbench.runfolder.folder import RunFolder

NAME = "leakage-report"
"""Of the files, without their endings."""

SCHEMA_VERSION = 1

Section = dict[str, Any]
"""``name``, ``title``, ``sentences`` (a list of text) and ``tables``: each with ``title``, ``columns`` and ``rows`` of
text."""


def leakage_report(run: RunFolder) -> dict[str, Any]:
    """What a run says about a release, in nine sections, all in words and tables of text.

    Returns:
        ``schema_version``, ``title``, ``sections`` (see ``Section``, in the order in which they are read) and
        ``measured``: the numbers behind the sections on risks, groups and ε, as JSON values.
    """
    risks, grouped, claimed = exposures(run), group_rows(run), claims(run)
    sections: tuple[tuple[str, str, Callable[[], Section]], ...] = (
        ("release", "The release and its recipient", lambda: words.release(run)),
        ("attacker", "Who the attacker is, and what it has", lambda: words.attacker(run)),
        ("attacks", "Attacks that were run, and attacks that were not", lambda: _attacks(run)),
        ("risks", "Three risks: singling out, linkability, inference", lambda: words.risks(run, risks)),
        ("groups", "Groups", lambda: words.groups(run, grouped)),
        ("epsilon", "Claimed against measured ε", lambda: words.epsilon(claimed)),
        ("utility", "Utility that is kept", lambda: _utility(run)),
        ("unknown", "What remains unknown", lambda: words.unknown(run)),
        ("again", "When to look again", lambda: words.again(run)),
    )
    return {
        "schema_version": SCHEMA_VERSION,
        "title": f"Leakage report: {run.cells['dataset'].iloc[0]}",
        "sections": [{"name": name, "title": title, **made()} for name, title, made in sections],
        "measured": {"risks": risks, "groups": grouped, "epsilon": claimed},
    }


def as_markdown(report: dict[str, Any]) -> str:
    """The report as text that prints."""
    parts = [f"# {report['title']}"]
    for number, section in enumerate(report["sections"], 1):
        parts.append(f"## {number}. {section['title']}")
        if section["sentences"]:
            parts.append("\n".join(f"- {sentence}" for sentence in section["sentences"]))
        for table in section["tables"]:
            frame = pd.DataFrame(table["rows"], columns=table["columns"])
            parts.append(f"{table['title']}\n\n{to_markdown(frame)}")
    return "\n\n".join(parts) + "\n"


def write_leakage_report(run: RunFolder, folder: Path) -> None:
    """Write the report into a run's folder, as JSON and as Markdown."""
    report = leakage_report(run)
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / f"{NAME}.json").write_text(text, encoding="utf-8")
    (folder / f"{NAME}.md").write_text(as_markdown(report), encoding="utf-8")


def _attacks(run: RunFolder) -> Section:
    cells = planned_of(run.cells)
    own = cells[(cells["role"] == "method") & (cells["attack_kind"] != "none") & ~cells["attack"].isin(BESIDE)]
    rows = []
    for (kind, attack), mine in own.groupby(["attack_kind", "attack"], sort=False):
        statuses = mine["status"].value_counts()
        reasons = "; ".join(dict.fromkeys(reason for reason in mine["reason"] if reason))
        run_of = f"{statuses.get('ok', 0)} of {len(mine)}"
        learns = "as the attacks it adds up" if attack == STACKED else words.LEARNS[str(mine["learns_from"].iloc[0])]
        rows.append([str(attack), str(kind), learns, run_of, reasons or "–"])
    return words.attacks(run, rows)


def _utility(run: RunFolder) -> Section:
    named = method_names(run.cells)
    rows = [
        [named(row["method"], row["ratio"]), percent(value_of(row, "accuracy")), percent(value_of(row, "utility"))]
        for row in records(summarize(run))
    ]
    sentences = [
        f"A recognizer of {run.cells['target'].iloc[0]} was trained on the released training images, and tested on "
        "released images that it never saw.",
        "Utility puts its accuracy on a scale from 0 %, the best guess without a picture, to 100 %, the recognizer of "
        "raw pictures.",
    ]
    table = {"title": "Percent [95 % interval]", "columns": ["method", "accuracy %", "utility %"], "rows": rows}
    return {"sentences": sentences, "tables": [table]}
