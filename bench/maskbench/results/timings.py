"""How long every stage took, when it was made and on what, and what it was made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from maskbench.artifacts.fingerprint import digest
from maskbench.results.execution import Execution

COLUMNS = (
    *("stage", "title", "source", "seconds", "device", "peak_memory", "peak_memory_of", "finished", "alone"),
    *("libraries", "key", "parameters", "sources", "inputs"),
)

SHORT = 16
"""Characters of a digest that a comparison needs; those of two stages are never taken for each other by chance."""


def timings(execution: Execution) -> pd.DataFrame:
    """One row a stage: what it is, whether it was computed in this run, how long it took when it was, and on what."""
    rows = []
    for outcome in execution.outcomes.values():
        timing, stage = outcome.timing, outcome.step.stage
        finished = timing.get("finished")
        ingredients = outcome.step.ingredients
        libraries = ingredients["libraries"].items()
        values = (
            stage.kind,
            stage.title(),
            outcome.source,
            timing.get("seconds"),
            timing.get("device", ""),
            timing.get("peak_memory"),
            timing.get("peak_memory_of", ""),
            datetime.fromtimestamp(finished, UTC).isoformat(timespec="seconds") if finished else "",
            timing.get("alone"),
            " ".join(f"{name}={version}" for name, version in libraries),
            outcome.step.key,
            digest(ingredients["parameters"])[:SHORT],
            digest(ingredients["sources"])[:SHORT],
            " ".join(f"{name}={key[:SHORT]}" for name, key in outcome.step.inputs.items()),
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def covered(made: Iterable[Mapping[str, Any]]) -> float:
    """Seconds during which at least one stage was at work, from what was recorded of each."""
    end, total = 0.0, 0.0
    for begin, finished in sorted((timing["finished"] - timing["seconds"], timing["finished"]) for timing in made):
        total += max(0.0, finished - max(begin, end))
        end = max(end, finished)
    return total
