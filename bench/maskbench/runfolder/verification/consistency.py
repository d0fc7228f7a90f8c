"""What the files of a bundle say of each other: cells, samples, splits, provenance and the stages that ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from maskbench.data.parties import SPLITS_OF
from maskbench.results.measure import planned_of
from maskbench.results.provenance import numbers_fingerprint
from maskbench.results.reading import grouped
from maskbench.results.schema import CELL, COLUMNS, SCORED_SPLITS, VALIDATION
from maskbench.runfolder.folder import RunFolder

_ABOUT = {"dataset": "name", "target": "target", "sensitive": "sensitive"}
"""Column of ``cells`` → where ``data`` of ``run.json`` has the same."""


def inconsistencies(run: RunFolder) -> Iterator[str]:
    """What contradicts itself, one sentence each."""
    unreadable = list(_columns(run))
    if unreadable:
        yield from unreadable
        return
    yield from _about(run)
    yield from _coverage(run)
    yield from _stages(run)
    yield from _images(run)
    yield from _splits(run)
    yield from _answers(run)


def _columns(run: RunFolder) -> Iterator[str]:
    absent = [name for name in (*CELL, "seed", "split", "number", "target_class") if name not in run.samples]
    if absent:
        yield f"samples.parquet has no column {', '.join(absent)}."
    for name, kind in COLUMNS.items():
        if kind != "string" and not pd.api.types.is_numeric_dtype(run.cells[name]):
            yield f"The column {name} of cells.parquet holds something else than numbers."


def _about(run: RunFolder) -> Iterator[str]:
    data = run.provenance["data"]
    for column, key in _ABOUT.items():
        found, expected = set(run.cells[column].unique()), data[key] or ""
        if found != {expected}:
            yield f"cells.parquet has the {column} {', '.join(sorted(found)) or 'nothing'}, and run.json {expected!r}."
    if set(run.cells["suite"].unique()) != {run.provenance["suite"]["name"]}:
        yield "cells.parquet is of another suite than run.json."


def _coverage(run: RunFolder) -> Iterator[str]:
    counted = Counter(planned_of(run.cells)["status"])
    found = {status: counted[status] for status in ("ok", "failed", "unavailable")}
    if found != run.provenance["coverage"]:
        yield f"cells.parquet has {_counts(found)} cells, and run.json {_counts(run.provenance['coverage'])}."


def _counts(coverage: dict[str, int]) -> str:
    return ", ".join(f"{number} {status}" for status, number in coverage.items())


def _stages(run: RunFolder) -> Iterator[str]:
    """A stage that scored and that no cell shows was left out; a cell that no stage made was put in."""
    planned = planned_of(run.cells)
    cells = set(planned.loc[planned["status"] == "ok", "stage_key"])
    ran = run.timings[run.timings["source"].isin(("computed", "stored"))]
    scoring = ran[ran["stage"].isin(ran.loc[ran["key"].isin(cells), "stage"])]
    hidden = scoring[~scoring["key"].isin(cells)]
    if len(hidden):
        titles = ", ".join(hidden["title"].iloc[:3])
        yield f"timings.csv has {len(hidden)} scored cells that cells.parquet lacks, such as {titles}."
    if invented := cells - set(ran["key"]):
        yield f"cells.parquet has {len(invented)} stage keys of which timings.csv knows no stage."


def _images(run: RunFolder) -> Iterator[str]:
    samples = run.samples
    if samples.duplicated([*CELL, "seed", "split", "number"]).any():
        yield "samples.parquet holds an image twice for the same cell, seed and split."
    planned = set(_cells_of(planned_of(run.cells)))
    strangers = set(_cells_of(samples)) - planned
    if strangers:
        yield f"samples.parquet holds {len(strangers)} cells that cells.parquet lacks."
    for (kind, split), part in grouped(samples[samples["split"] != VALIDATION], "attack_kind", "split"):
        counts = part.groupby([*CELL, "seed"], dropna=False)["number"].agg(frozenset)
        if counts.nunique() > 1:
            what = "recognition" if kind == "none" else kind
            yield f"The cells of {what} on {split} are not all of the same images: samples.parquet lacks some."


def _cells_of(rows: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """The cell and seed of rows; a missing ratio is None, which equals itself."""
    for values in rows[[*CELL, "seed"]].drop_duplicates().itertuples(index=False):
        yield tuple(None if pd.isna(value) else value for value in values)


def _splits(run: RunFolder) -> Iterator[str]:
    """The images of every split, as far as samples name them, are those that ``run.json`` says."""
    data, samples = run.provenance["data"], run.samples
    recorded = data.get("splits")
    if recorded is None:
        yield "run.json has no fingerprints of the splits: an older maskbench wrote it. Run the suite again."
        return
    expected = {split for party in SPLITS_OF.values() for split in party}
    if set(recorded) != expected or set(data["sizes"]) != expected:
        yield "run.json does not name the four splits."
        return
    numbers = {split: set(samples.loc[samples["split"] == split, "number"]) for split in (*SCORED_SPLITS, VALIDATION)}
    # An attacker knows the target labels of owner_train, so it may choose on them: validation may be of those images.
    for other in ("owner_train", VALIDATION):
        if both := numbers["owner_test"] & numbers[other]:
            yield f"{len(both)} images are in owner_test and in {other}."
    for split in SCORED_SPLITS:
        found, size = numbers[split], data["sizes"][split]
        if len(found) > size:
            yield f"samples.parquet has {len(found)} images of {split}, and run.json {size}."
        # Where a part of a split is scored, its other images are not known.
        if len(found) == size and numbers_fingerprint(found) != recorded[split]:
            yield f"The images of {split} in samples.parquet are not those of the fingerprint in run.json."


def _answers(run: RunFolder) -> Iterator[str]:
    """What was said of an image is right where it equals the truth, and an image has one truth."""
    samples = run.samples
    if not {"truth", "guess", "correct"} <= set(samples):
        return
    said = samples[samples["guess"].notna() & samples["truth"].notna() & samples["correct"].isin((0, 1))]
    wrong = (said["guess"] == said["truth"]) != (said["correct"] == 1)
    if wrong.any():
        yield f"{int(wrong.sum())} answers in samples.parquet are called right or wrong, and are not."
    told = samples[samples["truth"].notna()].groupby(["label", "number"])["truth"].nunique()
    if (told > 1).any():
        yield f"{int((told > 1).sum())} images have more than one true label in samples.parquet."
    if samples.groupby("number")["target_class"].nunique().gt(1).any():
        yield "An image has more than one target class in samples.parquet."
