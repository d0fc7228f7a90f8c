"""Two or more runs side by side, where their numbers may be compared; else why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from maskbench.errors import UsageError
from maskbench.gate.comparable import obstacles
from maskbench.report.hidden import hidden_shares
from maskbench.report.html.shown import ShownTable
from maskbench.report.named import NamedRun
from maskbench.report.summary import summarize, value_of
from maskbench.report.text import NOT_MEASURED, decimal, percent, plain
from maskbench.results.reading import records
from maskbench.results.schema import threat_model_name
from maskbench.runfolder.folder import RunFolder


def named_apart(runs: Sequence[tuple[Path, RunFolder]]) -> list[NamedRun]:
    """Runs by the names of their folders; by their whole paths where two folders have one name."""
    names = [path.resolve().name for path, _ in runs]
    return [
        NamedRun(name if names.count(name) == 1 else str(path), run)
        for name, (path, run) in zip(names, runs, strict=True)
    ]


def refuse_other_threat_models(runs: Sequence[NamedRun]) -> None:
    """Refuse a page of runs whose attackers were given different things: no number of one says anything of another.

    Raises:
        UsageError: two runs have different threat models.
    """
    first = runs[0]
    for run in runs[1:]:
        own, other = (each.results.provenance.get("threat_model") for each in (first, run))
        if own != other:
            raise UsageError(
                f"{run.name} cannot stand beside {first.name}: their threat models differ ({_named(other)} and "
                f"{_named(own)}). Run the older one again, then report both."
            )


def comparable_groups(runs: Sequence[NamedRun]) -> list[list[NamedRun]]:
    """The runs in groups; within one, numbers may be compared."""
    groups: list[list[NamedRun]] = []
    for run in runs:
        for group in groups:
            if not _between(group[0], run):
                group.append(run)
                break
        else:
            groups.append([run])
    return groups


def refusals(groups: Sequence[Sequence[NamedRun]]) -> list[str]:
    """Why the runs of different groups are not compared: a sentence for each group after the first."""
    first = groups[0][0]
    found = []
    for group in groups[1:]:
        names = ", ".join(run.name for run in group)
        found.append(f"Not compared with {first.name}: {names}. {'; '.join(_between(first, group[0])).capitalize()}.")
    return found


def side_by_side(group: Sequence[NamedRun]) -> ShownTable:
    """One row a method of any of the runs; of each run what it keeps and what it leaks."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    columns: list[str] = []
    for run in group:
        hidden = hidden_shares(run.results.cells)
        for row in records(summarize(run.results)):
            key = (row["method"], hidden(row["method"], row["ratio"]))
            measured = {
                "accuracy %": percent(value_of(row, "accuracy")),
                f"strongest advantage on {run.results.inferred} %": percent(plain(value_of(row, "inference"))),
                "strongest hole SSIM": decimal(plain(value_of(row, "restoration"))),
            }
            named = {f"{run.name}: {name}": value for name, value in measured.items()}
            rows.setdefault(key, {}).update(named)
            columns += [name for name in named if name not in columns]
    # What is measured stands together, so that the runs can be read across.
    columns.sort(key=lambda name: name.rsplit(": ", 1)[1])
    frame = pd.DataFrame(
        [
            {"method": method, "hidden": share, **{name: values.get(name, NOT_MEASURED) for name in columns}}
            for (method, share), values in rows.items()
        ]
    )
    caption = (
        "Runs on the same pictures, under the same threat model. A dash: the run has no such method, or did not "
        "measure it. Value [95 % interval]. Whether a difference is more than chance: maskbench compare."
    )
    return ShownTable.of("side-by-side", caption, frame)


def _between(first: NamedRun, second: NamedRun) -> list[str]:
    found = obstacles(first.results.provenance, second.results.provenance)
    # Its words are those of the gate, in which one of the two is a baseline.
    return [
        each.replace("in the baseline", f"in {first.name}").replace("in the current run", f"in {second.name}")
        for each in found
    ]


def _named(threat_model: Any) -> str:
    if not isinstance(threat_model, dict):
        return "none named"
    return threat_model_name(threat_model)
