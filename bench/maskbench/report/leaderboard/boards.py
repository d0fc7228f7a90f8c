"""Boards: one for each data set and threat model, with a table for each set of methods that were measured alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from maskbench.report.leaderboard.entries import Conditions, Entry, conditions, entries
from maskbench.report.leaderboard.ranking import Rank, beats, ranks
from maskbench.results.reading import Value
from maskbench.results.schema import threat_model_name
from maskbench.runfolder.folder import RunFolder

Leakage = Literal["inference", "restoration"]


@dataclass(frozen=True)
class Ranked:
    """A method with its rank.

    Attributes:
        on_frontier: nothing beats it, neither a method nor raw or fully masked images.
    """

    entry: Entry
    accuracy: Value
    leakage: Value
    rank: Rank
    on_frontier: bool


@dataclass(frozen=True)
class Unranked:
    """A method that has no rank, and why."""

    entry: Entry
    reason: str


@dataclass(frozen=True)
class Table:
    """Methods that were measured alike.

    Attributes:
        leakage: by which kind of attack they are ranked.
        ranked: the best first.
        controls: raw and fully masked images, for comparison.
        unranked: methods without a rank.
    """

    conditions: Conditions
    leakage: Leakage
    ranked: tuple[Ranked, ...]
    controls: tuple[Entry, ...]
    unranked: tuple[Unranked, ...]


@dataclass(frozen=True)
class Board:
    """All tables of a data set under a threat model; those of most methods first."""

    dataset: str
    threat_model: str
    tables: tuple[Table, ...]


def threat_model(provenance: Mapping[str, Any]) -> str:
    """Name and version of what attackers are given, from the content of ``run.json``."""
    return threat_model_name(provenance["threat_model"])


def boards(runs: Mapping[str, RunFolder]) -> list[Board]:
    """Rank the methods of runs that verify.

    Args:
        runs: name of a bundle → what it holds.
    """
    grouped: dict[tuple[str, str], dict[str, RunFolder]] = {}
    for name, run in runs.items():
        grouped.setdefault((str(run.provenance["data"]["name"]), threat_model(run.provenance)), {})[name] = run
    return [Board(*key, tuple(_tables(grouped[key]))) for key in sorted(grouped)]


def _tables(runs: Mapping[str, RunFolder]) -> list[Table]:
    measured: dict[str, Conditions] = {}
    entered: dict[str, list[Entry]] = {}
    for name, run in runs.items():
        alike = conditions(run)
        measured.setdefault(alike.key, alike)
        entered.setdefault(alike.key, []).extend(entries(name, run))
    tables = [_table(measured[key], found) for key, found in entered.items()]
    return sorted(tables, key=lambda table: (-len(table.ranked), table.conditions.key))


def _table(alike: Conditions, entered: Sequence[Entry]) -> Table:
    leakage: Leakage = "inference" if any(entry.inference for entry in entered) else "restoration"
    kept, again = _one_of_each(entered)
    unranked = [Unranked(entry, f"the bundle {other.bundle} has the same method") for entry, other in again]
    methods, controls = ([entry for entry in kept if (entry.role == "method") is wanted] for wanted in (True, False))
    known: list[tuple[Entry, Value, Value]] = []
    for entry in methods:
        accuracy, leaked = entry.accuracy, _leaked(entry, leakage)
        if accuracy is None or leaked is None:
            unranked.append(Unranked(entry, _reason(accuracy, leakage, entry.missing)))
        else:
            known.append((entry, accuracy, leaked))
    beside = [(entry.accuracy, _leaked(entry, leakage)) for entry in controls]
    measured_controls = [(accuracy, leaked) for accuracy, leaked in beside if accuracy and leaked]
    found = ranks([(accuracy, leaked) for _, accuracy, leaked in known])
    ranked = [
        Ranked(
            entry,
            accuracy,
            leaked,
            rank,
            rank.rank == 1 and not any(beats(control, (accuracy, leaked)) for control in measured_controls),
        )
        for (entry, accuracy, leaked), rank in zip(known, found, strict=True)
    ]
    ranked.sort(key=lambda each: (each.rank.rank, each.leakage.value, -each.accuracy.value, each.entry.name))
    return Table(alike, leakage, tuple(ranked), tuple(controls), tuple(unranked))


def _leaked(entry: Entry, leakage: Leakage) -> Value | None:
    return entry.inference if leakage == "inference" else entry.restoration


def _reason(accuracy: Value | None, leakage: Leakage, missing: int) -> str:
    if accuracy is None:
        return "its recognizer was not scored under every seed"
    what = "inference of the sensitive label" if leakage == "inference" else "restoration"
    return f"not attacked by {what}" + (f", or an attack failed: {missing} cells did not run" if missing else "")


def _one_of_each(entered: Iterable[Entry]) -> tuple[list[Entry], list[tuple[Entry, Entry]]]:
    """Each method once: of the bundle with most seeds, then the latest. The others come with the one that is kept.

    Two controls of two bundles are one method, of which nothing is said twice.
    """
    kept: dict[str, Entry] = {}
    again: list[tuple[Entry, Entry]] = []
    for entry in sorted(entered, key=lambda entry: (entry.seeds, entry.finished), reverse=True):
        first = kept.setdefault(entry.name, entry)
        if first is not entry and entry.role == "method":
            again.append((entry, first))
    return list(kept.values()), again
