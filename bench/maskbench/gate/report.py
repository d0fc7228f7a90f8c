"""A comparison in words: Markdown, JSON and JUnit."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import numpy as np

from maskbench.gate.accepted import example
from maskbench.gate.causes import UNKNOWN
from maskbench.gate.compare import ComparedRuns, cell_name, match_name, row_name
from maskbench.gate.slower import Slower
from maskbench.gate.tolerances import scale, unit
from maskbench.gate.verdicts import NOISE_UNKNOWN, Judged

_ORDER = ("regressed", "stronger attack", "improved", "inconclusive", "unchanged")
_MOST_ENTRIES = 12
_MOST = 60
"""Rows of a table; the JSON has all."""


def verdict(found: ComparedRuns) -> str:
    """The answer in one sentence."""
    if found.obstacles:
        return f"Not comparable: {found.obstacles[0]}."
    if found.nothing:
        return "Nothing was compared: the runs have no cell in common."
    parts = []
    if found.regressed:
        parts.append(f"{_count(len(found.regressed), 'row')} regressed, first {row_name(found.regressed[0])}")
    unmet = [each for each in found.requirements if not each.met]
    if unmet:
        parts.append(f"{_count(len(unmet), 'requirement')} not met")
    if found.timed and found.slower:
        parts.append(f"{_count(len(found.slower), 'kind')} of stages got slower")
    if found.incomplete:
        parts.append(f"{_count(len(found.incomplete), 'cell')} failed or missing")
    if found.strict and found.inconclusive:
        parts.append(f"{_count(len(found.inconclusive), 'row')} inconclusive")
    if parts:
        return "; ".join(parts) + "."
    if not found.judged:
        return "All requirements are met; no cells were compared."
    open_rows = f"; {_count(len(found.inconclusive), 'row')} inconclusive" if found.inconclusive else ""
    return f"No regression in {_count(len(found.judged), 'row')}{open_rows}."


def markdown(found: ComparedRuns) -> str:
    """The comparison as a page that fits a step summary."""
    return "\n".join(_lines(found)) + "\n"


def as_json(found: ComparedRuns) -> str:
    """The comparison as JSON, with every cause; NaN is null."""
    content = {
        "exit_code": found.exit_code,
        "verdict": verdict(found),
        "causes": found.causes,
        "counts": found.counts,
        "rows": [_plain(record) for record in found.rows.to_dict("records")],
        "unmatched": [
            {**_plain(match.key._asdict()), "state": match.state, "reason": match.reason} for match in found.unmatched
        ],
        "requirements": [_plain({**vars(each), "requirement": str(each.requirement)}) for each in found.requirements],
        "slower": [{**vars(each), "ratio": each.ratio} for each in found.slower],
        "accepted": [{"row": row_name(found.judged[place]), "reason": why} for place, why in found.accepted.items()],
        "not_compared": [vars(each) for each in found.uncompared],
        "notes": list(found.notes),
        "changed_code": list(found.code),
        "smallest_drops": smallest_drops(found),
        "baseline": _about(found.baseline),
        "current": _about(found.current),
    }
    # A line for each key: of thousands of rows, lines for each value take most of the time.
    lines = (
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}" for key, value in content.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def junit(found: ComparedRuns) -> str:
    """The comparison as JUnit XML: a case a row and cell; regressions fail, what is inconclusive is skipped."""
    suite = ElementTree.Element("testsuite", name="maskbench compare")
    failures = errors = skipped = 0
    for place, each in enumerate(found.judged):
        case = ElementTree.SubElement(suite, "testcase", classname=each.row.key.method_label, name=row_name(each))
        if each.verdict == "regressed" and place not in found.accepted:
            failures += 1
            ElementTree.SubElement(case, "failure", message=_change(each)).text = _why(each)
        elif each.verdict == "inconclusive" and found.strict and each.row.leading:
            errors += 1
            ElementTree.SubElement(case, "error", message=each.note)
        elif each.verdict == "inconclusive":
            skipped += 1
            ElementTree.SubElement(case, "skipped", message=each.note)
    for match in found.incomplete:
        errors += 1
        case = ElementTree.SubElement(suite, "testcase", classname=match.key.method_label, name=cell_name(match.key))
        ElementTree.SubElement(case, "error", message=f"{match.state}: {match.reason}")
    others = [(str(each.requirement) + f" by {each.method}", each.met, each.finding) for each in found.requirements]
    others += [("the runs can be compared", False, text) for text in found.obstacles]
    others += [("something was compared", False, verdict(found))] if found.nothing and not found.obstacles else []
    others += [(f"time of {each.stage}", not found.timed, f"{each.ratio:.2f} times") for each in found.slower]
    for name, good, text in others:
        case = ElementTree.SubElement(suite, "testcase", classname="maskbench", name=name)
        if not good:
            failures += 1
            ElementTree.SubElement(case, "failure", message=text)
    for name, count in (("tests", len(suite)), ("failures", failures), ("errors", errors), ("skipped", skipped)):
        suite.set(name, str(count))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def smallest_drops(found: ComparedRuns, *, leading: bool = False) -> dict[str, float]:
    """Metric → the smallest drop that is caught 4 times in 5 in the median row of a method, in the report's unit.

    Args:
        leading: of the leading metrics alone.
    """
    drops: dict[str, list[float]] = {}
    for each in found.judged:
        if leading and not each.row.leading:
            continue
        if np.isfinite(each.smallest) and each.row.role == "method" and each.row.key.attack != "all":
            drops.setdefault(each.row.metric.name, []).append(each.smallest * scale(each.row.metric))
    return {name: float(np.median(values)) for name, values in drops.items()}


def _lines(found: ComparedRuns) -> Iterator[str]:
    mark = {0: "passed", 1: "failed", 3: "not comparable", 4: "incomplete"}[found.exit_code]
    yield f"## maskbench compare: {mark}"
    yield ""
    yield verdict(found)
    if found.obstacles:
        yield ""
        yield from (f"- {text}" for text in found.obstacles)
    if found.inconclusive and all(each.note == NOISE_UNKNOWN for each in found.inconclusive):
        yield ""
        yield f"Nothing can be told of the open rows: {NOISE_UNKNOWN}."
    yield from _provenance(found)
    yield from _rows(found)
    yield from _section(
        "Requirements",
        [
            f"{'met' if each.met else '**not met**'}: {each.requirement} by {each.method}: {each.finding}"
            for each in found.requirements
        ],
    )
    yield from _section("Failed or missing", [f"**{match.state}** {match_name(match)}" for match in found.incomplete])
    new = [cell_name(match.key) for match in found.unmatched if match.state == "new"]
    yield from _section("New, without a baseline", new)
    if any(each.verdict == "stronger attack" for each in found.judged):
        yield from _section(
            "Stronger attacks",
            [
                "These attacks get more from the same releases: no regression of a method. "
                "Update the baseline: `maskbench baseline update RUN`.",
                *(row_name(each) + f": {_change(each)}" for each in found.judged if each.verdict == "stronger attack"),
            ],
        )
    yield from _section("To look at", found.notes)
    yield from _section(
        "Accepted", [f"{row_name(found.judged[place])}: {why}" for place, why in found.accepted.items()]
    )
    yield from _section("Slower", map(_slow, found.slower))
    if found.regressed:
        yield from (
            "",
            "To accept a regression, put its entry into `accepted.yaml` in the baseline's folder:",
            "",
            "```yaml",
        )
        yield from map(example, found.regressed[:_MOST_ENTRIES])
        yield "```"
    yield from _section(
        "Not compared",
        [f"`{each.what}` in {_count(each.cells, 'cell')}: {each.reason}" for each in found.uncompared],
    )
    drops = smallest_drops(found, leading=True)
    if drops:
        words = [f"{name} {value:.2g}{_behind(found, name)}" for name, value in drops.items()]
        yield from ("", f"Smallest drop that this pair catches 4 times in 5, in the median row: {', '.join(words)}.")


def _rows(found: ComparedRuns) -> Iterator[str]:
    shown = sorted(found.judged, key=lambda each: (_ORDER.index(each.verdict), not each.row.leading))
    proved = [each for each in shown if each.note.startswith("proved")]
    shown = [each for each in shown if not each.note.startswith("proved")]
    if found.judged:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(found.counts.items()))
        yield from ("", f"{counts}. {len(proved)} of the unchanged are proved so: same keys or same outcomes.")
    if not shown:
        return
    yield from ("", "| verdict | method | attack | metric | baseline | current | change [95 %] | changed | note |")
    yield "| --- | --- | --- | --- | ---: | ---: | ---: | --- | --- |"
    for each in shown[:_MOST]:
        row, factor = each.row, scale(each.row.metric)
        method, attack = cell_name(row.key).split(" × ", 1)
        cells = [
            f"**{each.verdict}**" if each.verdict == "regressed" else each.verdict,
            *(method, attack, row.metric.name),
            *(f"{value * factor:.{_digits(each)}f}" for value in (row.found.baseline, row.found.current)),
            _change(each),
            ", ".join(sorted(row.causes)) or "not known",
            each.note or "",
        ]
        yield "| " + " | ".join(text.replace("|", "\\|").replace("<", "&lt;") for text in cells) + " |"
    if len(shown) > _MOST:
        yield from ("", f"And {len(shown) - _MOST} more rows; `--json` has them all.")


def _change(each: Judged) -> str:
    factor, digits = scale(each.row.metric), _digits(each)
    text = f"{each.change * factor:+.{digits}f}"
    if np.isfinite(each.low):
        text += f" [{each.low * factor:+.{digits}f}, {each.high * factor:+.{digits}f}]"
    return f"{text} {unit(each.row.metric)}".rstrip()


def _why(each: Judged) -> str:
    causes = ", ".join(sorted(each.row.causes)) or UNKNOWN
    return f"{row_name(each)}: {_change(each)}; changed: {causes}. {each.note}".strip()


def _digits(each: Judged) -> int:
    return 1 if scale(each.row.metric) == 100 else 3


def _behind(found: ComparedRuns, name: str) -> str:
    metric = next(each.row.metric for each in found.judged if each.row.metric.name == name)
    return f" {unit(metric)}".rstrip()


def _provenance(found: ComparedRuns) -> Iterator[str]:
    for name, about in (("Baseline", found.baseline), ("Current", found.current)):
        if about:
            facts = {name: value or "not known" for name, value in _about(about).items()}
            commit = f"{facts['commit']}{', changed' if facts['changed'] is True else ''}"
            versions = f"maskbench {facts['maskbench']}, Python {facts['python']}"
            yield from ("", f"{name}: commit {commit}, finished {facts['finished']}, {versions}, on {facts['device']}.")
    if found.code:
        more = f" and {len(found.code) - 12} more" if len(found.code) > 12 else ""
        yield from ("", f"Code that changed: {', '.join(f'`{name}`' for name in found.code[:12])}{more}.")
    old, new = found.baseline.get("libraries", {}), found.current.get("libraries", {})
    differ = [
        f"{name} {old.get(name, '–')} → {new.get(name, '–')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    if differ:
        yield from ("", f"Libraries that changed: {', '.join(differ)}.")


def _about(provenance: Mapping[str, Any]) -> dict[str, Any]:
    git = provenance.get("git") or {}
    return {
        "commit": git.get("commit"),
        "changed": git.get("changed"),
        **{name: provenance.get(name) for name in ("finished", "maskbench", "python", "platform", "device", "command")},
    }


def _slow(each: Slower) -> str:
    times = f"{each.baseline:.1f} s → {each.current:.1f} s"
    return f"{each.stage}: {each.ratio:.2f} times as long on {each.device} ({times})"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from ("", f"### {title}", "")
        yield from (f"- {line}" for line in found)


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _plain(record: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in record.items()
    }
