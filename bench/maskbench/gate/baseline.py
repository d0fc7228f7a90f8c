"""A committed baseline: what of a run it holds, and how it is replaced."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from maskbench.errors import UsageError
from maskbench.gate.compare import ComparedRuns, compare
from maskbench.gate.outcomes import STATED
from maskbench.results.measure import planned_of
from maskbench.results.reading import HEADLINE_SPLIT
from maskbench.results.schema import CHOSEN_BY, PROBABILITIES, VALIDATION
from maskbench.runfolder import checksums
from maskbench.runfolder.folder import RunFolder

HISTORY = "history.json"
"""In the folder of a baseline: when it was replaced, why, and what that changed."""


def default_place(run: Path) -> Path:
    """``results/baseline/SUITE``."""
    return Path("results") / "baseline" / str(RunFolder.read(run, with_pictures=False).provenance["suite"]["name"])


def update(run: Path, baseline: Path, reason: str) -> ComparedRuns | None:
    """Replace a baseline by a run, and keep why; return how the run compares with the old one, None where none was.

    Of the run it takes what comparisons read: outcomes on the split where leakage counts, with probabilities rounded as
    comparisons round them, and no pictures.
    An ``accepted.yaml`` beside the old baseline goes: what it accepted is in the new one.

    Raises:
        UsageError: the run is no run folder or has failed cells, or the place holds something else.
    """
    results = RunFolder.read(run, with_pictures=False)
    failed = planned_of(results.cells).query("status == 'failed'")
    if len(failed):
        raise UsageError(
            f"{run} has {len(failed)} failed cells, and a baseline must have none: run it again. The first: "
            f"{failed['method'].iat[0]} × {failed['attack'].iat[0]}: {failed['reason'].iat[0]}"
        )
    history: list[dict[str, Any]] = []
    before = None
    if baseline.exists():
        if not (baseline / "run.json").is_file():
            raise UsageError(f"{baseline} holds no baseline: name another folder. Nothing was written.")
        if run.resolve() == baseline.resolve():
            raise UsageError("The run is the baseline itself. Nothing was written.")
        before = compare(baseline, results)
        past = baseline / HISTORY
        history = json.loads(past.read_text(encoding="utf-8")) if past.is_file() else []
    entry = {
        "date": datetime.now(UTC).date().isoformat(),
        "reason": reason,
        "commit": (results.provenance.get("git") or {}).get("commit"),
        "changes": {} if before is None else before.counts,
        "against": [] if before is None else list(before.obstacles),
    }
    kept = replace(results, samples=_kept(results), pictures=(), failures="")
    aside = baseline.with_name(f".{baseline.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    kept.write(aside)
    checksums.take_out(aside, "cells.csv")  # the same as cells.parquet, and many times as large
    (aside / HISTORY).write_text(json.dumps([*history, entry], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    old = baseline.with_name(f".{baseline.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if baseline.exists():
        baseline.rename(old)
    aside.rename(baseline)
    shutil.rmtree(old, ignore_errors=True)
    return before


def _kept(results: RunFolder) -> pd.DataFrame:
    samples = results.samples
    samples = samples[(samples["split"] != VALIDATION) & (samples["split"] == samples["label"].map(HEADLINE_SPLIT))]
    samples = samples.drop(columns=[name for name in samples if name in CHOSEN_BY])
    if PROBABILITIES not in samples:
        return samples
    stated, known = samples[PROBABILITIES].astype(object), samples[PROBABILITIES].notna()
    rounded = stated[known].map(lambda row: np.asarray(row).astype(STATED).astype(np.float32))
    return samples.assign(**{PROBABILITIES: rounded.reindex(samples.index)})
