"""What a bundle enters: its methods, with what they keep and leak, and what they were measured by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from maskbench.plugins.reserved import RESERVED
from maskbench.report.summary import summarize, value_of
from maskbench.results.measure import planned_of
from maskbench.results.reading import Value, records
from maskbench.runfolder.folder import RunFolder

_MEASURED_BY = ("target", "sensitive", "shape", "sizes", "splits", "fingerprint")
"""Of ``data`` in ``run.json``: with the settings and the attacks, what has to be the same in two runs."""


@dataclass(frozen=True)
class Conditions:
    """What methods were measured by: those of other conditions are in another table.

    Attributes:
        key: all of it, as text.
        attacks: those that ran, on any method.
    """

    key: str
    target: str
    sensitive: str
    shape: tuple[int, ...]
    images: int
    recognizer: str
    attacks: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A method in a bundle.

    Attributes:
        bundle: name of the bundle, of which its report has the address.
        ratio: share hidden; NaN where the method has none.
        inference: advantage of the strongest inference on the sensitive label.
        restoration: hole SSIM of the strongest restoration.
        warnings: marks of the flags that are warnings.
        finished: when the run ended.
        missing: cells that failed, or that could not run.
    """

    bundle: str
    method: str
    ratio: float
    role: str
    accuracy: Value | None
    inference: Value | None
    restoration: Value | None
    warnings: tuple[str, ...]
    seeds: int
    finished: str
    missing: int

    @property
    def name(self) -> str:
        """The method with the share that it hides."""
        return self.method if np.isnan(self.ratio) else f"{self.method} at {self.ratio:.0%}"


def conditions(run: RunFolder) -> Conditions:
    """What the methods of a run were measured by."""
    data, suite, cells = run.provenance["data"], run.provenance["suite"], run.cells
    ran = cells[(cells["status"] == "ok") & ~cells["attack"].isin(RESERVED)]
    attacks = tuple(dict.fromkeys(ran["attack"]))
    settings = {name: suite[name] for name in ("settings", "probe_target")}
    same = {**{name: data.get(name) for name in _MEASURED_BY}, **settings, "attacks": sorted(attacks)}
    return Conditions(
        json.dumps(same, sort_keys=True),
        data["target"],
        data["sensitive"] or "",
        tuple(data["shape"]),
        sum(data["sizes"].values()),
        str(cells["recognizer"].iloc[0]),
        attacks,
    )


def entries(bundle: str, run: RunFolder) -> Iterator[Entry]:
    """The methods of a run, and its controls."""
    warnings = {flag.mark for flag in run.flags if flag.level == "warning"}
    planned = planned_of(run.cells)
    for row in records(summarize(run)):
        yield Entry(
            bundle,
            row["method"],
            row["ratio"],
            row["role"],
            value_of(row, "accuracy"),
            value_of(row, "inference") if run.inferred == "sensitive" else None,
            value_of(row, "restoration"),
            tuple(mark for mark in str(row["flags"]).split() if mark in warnings),
            planned["seed"].nunique(),
            run.provenance["finished"],
            row["total"] - row["ok"],
        )
