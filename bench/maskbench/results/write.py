"""The folder that a run leaves behind."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pandas as pd

from maskbench.errors import UsageError
from maskbench.report.cell_text import to_markdown
from maskbench.report.judgement import Judgement
from maskbench.report.tables import TABLES
from maskbench.report.timing import timing_table, timings
from maskbench.results.provenance import provenance
from maskbench.running import Run


def choose_folder(out: Path | None, suite: str) -> Path:
    """The folder for a run's results; not made yet.

    Raises:
        UsageError: it holds something already, for results are never written over; or it cannot be written to.
    """
    folder = out or Path("runs") / f"{suite}-{datetime.now():%Y%m%d-%H%M%S}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and is not empty: choose another --out. Nothing was written.")
    # Said now, not after hours of work; made later, so that a run which cannot start leaves nothing behind.
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be made, because {there} cannot be written to: choose another --out.")
    return folder


def write_tables(run: Run, judgement: Judgement, folder: Path) -> None:
    """Write tables, samples and provenance of a run."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    cells = judgement.cells
    cells.to_parquet(folder / "cells.parquet", index=False)
    cells.to_csv(folder / "cells.csv", index=False)
    run.tables.samples.to_parquet(folder / "samples.parquet", index=False)
    timings(run).to_csv(folder / "timings.csv", index=False)
    (folder / "run.json").write_text(json.dumps(provenance(run, judgement.flags), indent=1) + "\n", encoding="utf-8")
    for table in TABLES:
        frame = table.build(judgement)
        if len(frame):
            _write_table(frame, folder / "tables" / table.name, table.caption(judgement))
    _write_table(timing_table(run), folder / "tables" / "timing", "Times by stage.")
    log = [f"{outcome.step.stage.title()}\n{outcome.trace}" for outcome in run.outcomes.values() if outcome.trace]
    if log:
        (folder / "failures.log").write_text("\n".join(log), encoding="utf-8")


def draw_figures(run: Run, judgement: Judgement, folder: Path) -> None:
    """Draw the figures of a run."""
    from maskbench.report.curves import draw_curves  # matplotlib loads when there is something to draw
    from maskbench.report.figures import accuracy_against_leakage
    from maskbench.report.pictures import picture_grid

    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    accuracy_against_leakage(judgement.summary, judgement.inferred, figures / "accuracy-against-leakage")
    draw_curves(judgement.cells, figures)
    picture_grid(run, figures / "pictures")


def _write_table(frame: pd.DataFrame, path: Path, caption: str) -> None:
    path.with_suffix(".md").write_text(f"{caption}\n\n{to_markdown(frame)}\n", encoding="utf-8")
    frame.to_csv(path.with_suffix(".csv"), index=False)
