"""Joining the shards of a run: what is merged is what one run of the whole suite would have found.

Every number is computed again from the samples of all shards. A shard alone lacks what its cells are measured
against where the controls lie in another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from maskbench.errors import UsageError
from maskbench.executors.executor import MISSING
from maskbench.results.collect import joined
from maskbench.results.examples import Example
from maskbench.results.flags.find import find_flags
from maskbench.results.measure import measure, planned_of
from maskbench.results.provenance import own_git_state, unavailable_metrics
from maskbench.results.schema import CELL, COLUMNS, METHOD
from maskbench.results.shard import ShardRecord
from maskbench.runfolder.folder import RunFolder

_IDENTITY = [*list(COLUMNS)[: list(COLUMNS).index("seed") + 1], "status", "reason", "stage_key"]
"""The columns of ``cells`` that say what a planned cell is and what became of it."""

_SAME = ("suite", "data", "methods", "attacks", "threat_model", "maskbench")
"""What shards of one run have in common in ``run.json``."""

_OF_ALL = ("device", "python", "platform")
"""What may differ from shard to shard: each value is named."""


@dataclass(frozen=True)
class NamedShard:
    """A shard's run folder, and what to call it in messages."""

    name: str
    results: RunFolder
    record: ShardRecord

    @classmethod
    def of(cls, name: str, results: RunFolder) -> NamedShard:
        """Raises UsageError where the folder is that of a whole run, or damaged."""
        provenance = results.provenance
        if "shards" in provenance:
            raise UsageError(f"{name} was merged already: merge the shards themselves.")
        if "shard" not in provenance:
            raise UsageError(f"{name} is a whole run, no shard of one: only what `run --shard I/N` wrote is merged.")
        try:
            record = ShardRecord.of_record(provenance["shard"])
        except (KeyError, TypeError) as error:
            raise UsageError(f"{name}: what its run.json says of the shard is damaged: {error}.") from None
        return cls(name, results, record)


def merged(shards: Sequence[NamedShard], command: str, partial: bool = False) -> RunFolder:
    """Join shards into the results of one run.

    Args:
        shards: in any order.
        command: what was typed, for ``run.json``.
        partial: whether some may be missing; the results then say which.

    Raises:
        UsageError: they are shards of different runs, one is there twice, one is missing, or one lacks samples.
    """
    if not shards:
        raise UsageError("There is nothing to merge: name the run folders of all shards.")
    ordered = sorted(shards, key=lambda each: each.record.number)
    _refuse_strangers(shards)
    _refuse_twice(ordered)
    missing = [number for number in range(1, ordered[0].record.of + 1) if number not in _numbers(ordered)]
    if missing and not partial:
        of = ordered[0].record.of
        named = ", ".join(f"{number}/{of}" for number in missing)
        raise UsageError(
            f"{len(missing)} of {of} shards are missing: {named}. Run them, or merge what is there with --partial."
        )
    samples = _sorted(joined([_in_place(each.results.samples, each) for each in ordered]))
    planned = _sorted(pd.concat([_planned(each) for each in ordered], ignore_index=True))
    cells = measure(planned, samples, ordered[0].results.classes)
    timings = _timings([each.results.timings for each in ordered])
    return RunFolder(
        cells=cells,
        samples=samples,
        timings=timings,
        flags=tuple(find_flags(cells)),
        provenance=_provenance(ordered, missing, cells, timings, command),
        pictures=tuple(_pictures(ordered)),
        failures="\n".join(each.results.failures for each in ordered if each.results.failures),
    )


_PLACE = "place"  # a column for the time of sorting


def _numbers(shards: Sequence[NamedShard]) -> list[int]:
    return [each.record.number for each in shards]


def _refuse_strangers(shards: Sequence[NamedShard]) -> None:
    first = shards[0]
    for other in shards[1:]:
        if other.record.of != first.record.of:
            reason = f"{first.record.shard} is a part of another division than {other.record.shard}"
        elif other.record.run != first.record.run or _differences(first, other):
            reason = next(iter(_differences(first, other)), _UNSEEN)
        else:
            continue
        raise UsageError(f"{first.name} and {other.name} are no shards of one run: {reason}.")


_UNSEEN = (
    "the code that made them, the kind of device, or what each machine is able to run differs (see git, device and "
    "unavailable cells in the two folders)"
)


def _differences(first: NamedShard, other: NamedShard) -> list[str]:
    """What ``run.json`` shows of the reason why two shards do not belong together."""
    one, two = first.results.provenance, other.results.provenance
    found = [text for name in _SAME for text in _unlike(name, one.get(name), two.get(name))]
    if found or first.record.run == other.record.run:
        return found
    both = sorted(set(one["libraries"]) & set(two["libraries"]))
    found = [text for name in both for text in _unlike(name, one["libraries"][name], two["libraries"][name])]
    commits = [(each["git"] or {}).get("commit") for each in (one, two)]
    return [*found, *_unlike("git commit", *commits)]


def _unlike(name: str, one: Any, two: Any) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        for key in dict.fromkeys([*one, *two]):
            yield from _unlike(f"{name}.{key}", one.get(key), two.get(key))
    elif one != two:
        yield f"{name} is {_short(one)} in the first and {_short(two)} in the second"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:60] + "…"


def _refuse_twice(ordered: Sequence[NamedShard]) -> None:
    for one, two in pairwise(ordered):
        if one.record.number == two.record.number:
            raise UsageError(f"Shard {one.record.shard} is there twice: {one.name} and {two.name}. Name one of them.")


def _planned(shard: NamedShard) -> pd.DataFrame:
    """The planned cells of a shard, in their places.

    Raises:
        UsageError: a cell that ran has no samples: they were taken out, or the folder is damaged.
    """
    planned = planned_of(shard.results.cells)[_IDENTITY]
    ran = {_cell(row) for row in _rows(shard.results.samples)}
    for row in _rows(planned[planned["status"] == "ok"]):
        if _cell(row) not in ran:
            raise UsageError(
                f"{shard.name} holds no samples of {row['method']} × {row['attack']} under seed {row['seed']}, so its "
                "numbers cannot be computed again: merge folders as `maskbench run` wrote them."
            )
    return _in_place(planned, shard)


def _rows(table: pd.DataFrame) -> Iterator[Mapping[str, Any]]:
    """The cells that a table has rows of, each once, as column → value."""
    columns = [*CELL, "seed"]
    for values in table[columns].drop_duplicates().itertuples(index=False):
        yield dict(zip(columns, values, strict=True))


def _cell(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*_method(row), *(row[name] for name in CELL if name not in METHOD))


def _method(row: Mapping[str, Any]) -> tuple[str, str, float | None, int]:
    ratio = None if pd.isna(row["ratio"]) else float(row["ratio"])
    return str(row["method"]), str(row["params"]), ratio, int(row["seed"])


def _in_place(table: pd.DataFrame, shard: NamedShard) -> pd.DataFrame:
    """The rows with the place of their trial beside them."""
    columns = [*METHOD, "seed"]
    groups = table.groupby(columns, sort=False, dropna=False, observed=True)
    places: dict[int, int] = {}
    for values, _ in groups:
        named = _method(dict(zip(columns, values, strict=True)))
        if named not in shard.record.places:
            raise UsageError(f"{shard.name} is damaged: its run.json has no trial of {named[0]} under seed {named[3]}.")
        places[len(places)] = shard.record.places[named]
    return table.assign(**{_PLACE: groups.ngroup().map(places)})


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(_PLACE, kind="stable", ignore_index=True).drop(columns=_PLACE)


def _timings(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row for each stage that was made, and one for each that was only found or is missing."""
    rows = pd.concat(tables, ignore_index=True)
    computed = rows["source"] == "computed"
    again = ~computed & rows.duplicated(["key", "source"])
    found = (rows["source"] == "stored") & rows["key"].isin(rows.loc[computed, "key"])
    return rows[~(again | found)].reset_index(drop=True)


def _pictures(ordered: Sequence[NamedShard]) -> list[Example]:
    """The examples of all shards, in the order of the methods."""
    placed = []
    for each in ordered:
        first = {trial.shown_as: trial.place for trial in reversed(each.record.trials)}
        placed += [(first[picture.method], picture) for picture in each.results.pictures]
    return [picture for _, picture in sorted(placed, key=lambda pair: pair[0])]


def _provenance(
    ordered: Sequence[NamedShard],
    missing: Sequence[int],
    cells: pd.DataFrame,
    timings: pd.DataFrame,
    command: str,
) -> dict[str, Any]:
    each = [shard.results.provenance for shard in ordered]
    statuses, sources = Counter(planned_of(cells)["status"]), Counter(timings["source"])
    common = {name: value for name, value in each[0].items() if name != "shard"}
    return {
        **common,
        "finished": max(one["finished"] for one in each),
        "command": command,
        "coverage": {status: statuses[status] for status in ("ok", "failed", "unavailable")},
        "unavailable_metrics": unavailable_metrics(cells),
        # Of all machines together.
        "seconds": {name: sum(one["seconds"][name] for one in each) for name in each[0]["seconds"]},
        "stages": {source: sources[source] for source in ("computed", "stored", *MISSING)},
        **{name: ", ".join(dict.fromkeys(one[name] for one in each)) for name in _OF_ALL},
        "libraries": dict(sorted({name: number for one in each for name, number in one["libraries"].items()}.items())),
        "code": dict(sorted({name: digest for one in each for name, digest in one["code"].items()}.items())),
        # Of the code that computed the numbers; what made the stages stands below.
        "git": own_git_state(),
        "shards": {
            "of": ordered[0].record.of,
            "missing": list(missing),
            "merged": [
                {"number": shard.record.number}
                | {name: one[name] for name in ("command", "finished", "seconds", *_OF_ALL, "git")}
                for shard, one in zip(ordered, each, strict=True)
            ],
        },
    }
