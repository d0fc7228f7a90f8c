"""Run folders made of planted cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from maskbench.results.examples import Example
from maskbench.results.flags.find import find_flags
from maskbench.results.schema import CELL, SCHEMA_VERSION, typed
from maskbench.results.timings import COLUMNS
from maskbench.runfolder.folder import RunFolder

PROVENANCE = {
    "schema_version": SCHEMA_VERSION,
    "maskbench": "0",
    "data": {"sensitive": "digit", "target_classes": ["even", "odd"], "sensitive_classes": list("abcd")},
    "attacks": ["released", "same", "other"],
    "seconds": {"total": 4.0, "stages": 3.0, "outside": 1.0},
    "coverage": {"ok": 1, "failed": 0, "unavailable": 0},
}


def planted_run(rows: Sequence[dict[str, Any]], pictures: Sequence[Example] = ()) -> RunFolder:
    """A run folder with these rows of cells, the flags on them, and nothing else."""
    cells = typed(rows)
    samples = pd.DataFrame(columns=[*CELL, "seed", "split", "number", "target_class"])
    timings = pd.DataFrame(columns=list(COLUMNS))
    return RunFolder(cells, samples, timings, tuple(find_flags(cells)), PROVENANCE, tuple(pictures))
