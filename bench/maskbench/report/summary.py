"""The headline as numbers: one row a method, with what it keeps and what it leaks to the strongest attack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from maskbench.metrics.catalogue import MAIN
from maskbench.metrics.metric import Family
from maskbench.plugins.reserved import STRONGEST
from maskbench.report.attacked import status_of
from maskbench.report.once import once_for_a_run
from maskbench.results.measure import planned_of
from maskbench.results.reading import Value, headline, methods, pooled, read
from maskbench.runfolder.folder import RunFolder

FINDING: tuple[Family, ...] = ("matching", "linkage", "person-linkage")
"""What matching attacks are asked."""


@once_for_a_run
def summarize(run: RunFolder) -> pd.DataFrame:
    """One row for each method × ratio, in the order of the suite.

    Columns: ``method``, ``ratio`` (share hidden, NaN where there is none), ``role``; each quantity below with its 95 %
    interval in ``…_low`` and ``…_high``, NaN where it was not measured; the strongest ``restoration_attack`` and
    ``inference_attack``, and ``restoration_status`` and ``inference_status``, whether the method was attacked so at all
    (see ``attacked.Status``); ``ok`` and ``total``, cells that ran and that were planned; ``flags``, their marks.

    - accuracy, utility: shares, on owner-test. shape: accuracy on the target label of a classifier that sees the masks
      alone.
    - restoration: hole SSIM of the strongest attack on owner-train; psnr: the same attack's, whole image, in dB.
    - inference: advantage of the strongest attack on the sensitive label, on owner-train (without a sensitive label: on
      the target label, on owner-test). over_null: the same minus that of the same attacks on fully masked images; at
      most the advantage itself, since an attack that is below its prior there gains nothing by it.
    - worst_class: of the same attack, how often it ranks a member of a class above another image, for the class that it
      tells best (AUC); the mean over images hides such a class.
    - matching, linkage, person-linkage: share of released images of owner-train whose own raw picture, other release,
      or another picture of the same person is the most alike of all candidates, by the strongest attack (rank 1);
      ``matching_attack``, ``linkage_attack`` and ``person-linkage_attack`` name it.
    """
    return pd.DataFrame([_row(run, method, ratio, mine) for method, ratio, mine in methods(run.cells)])


def value_of(row: Mapping[str, Any], name: str) -> Value | None:
    """A quantity of the summary with its interval; None where it was not measured."""
    if np.isnan(row[name]):
        return None
    return Value(row[name], row[f"{name}_low"], row[f"{name}_high"], str(row.get(f"{name}_attack", "")))


def _row(run: RunFolder, method: str, ratio: float, mine: pd.DataFrame) -> dict[str, Any]:
    rows = pooled(mine)
    recognition = rows[rows["attack_kind"] == "none"]
    shape = rows[(rows["learns_from"] == "masks") & (rows["label"] == "target") & (rows["split"] == "owner_test")]
    strongest = headline(mine)
    strongest = strongest[strongest["attack"] == STRONGEST]
    restoration, inference = (strongest[strongest["attack_kind"] == kind] for kind in ("restoration", "inference"))
    cells = planned_of(mine)
    # NaN, of a method without a ratio, equals nothing.
    own = [flag.mark for flag in run.flags if flag.method == method and (flag.ratio == ratio or np.isnan(ratio))]
    found: dict[str, Value | None] = {
        "accuracy": read(recognition, "accuracy"),
        "utility": read(recognition, "utility"),
        "shape": read(shape, "accuracy"),
        "restoration": read(restoration, "ssim_hole"),
        "psnr": read(restoration, "psnr"),
        "inference": read(inference, "advantage"),
        "over_null": read(inference, "advantage_over_null"),
        "worst_class": read(inference, "worst_class_auc"),
        **{kind: read(strongest[strongest["attack_kind"] == kind], MAIN[kind]) for kind in FINDING},
    }
    if found["over_null"] is not None and found["inference"] is not None:
        found["over_null"] = _at_most(found["over_null"], found["inference"])
    row: dict[str, Any] = {"method": method, "ratio": ratio, "role": mine["role"].iloc[0]}
    for name, value in found.items():
        row |= _columns(name, value)
        if name in ("restoration", "inference"):
            row[f"{name}_attack"] = value.attack if value else ""
            row[f"{name}_status"] = status_of(cells, name, run.inferred if name == "inference" else "")
    ok = int((cells["status"] == "ok").sum())
    finders = {f"{kind}_attack": value.attack if (value := found[kind]) else "" for kind in FINDING}
    return {**row, **finders, "ok": ok, "total": len(cells), "flags": " ".join(dict.fromkeys(own))}


def _at_most(value: Value, most: Value) -> Value:
    return Value(
        min(value.value, max(most.value, 0.0)), min(value.low, max(most.low, 0.0)), min(value.high, max(most.high, 0.0))
    )


def _columns(name: str, value: Value | None) -> dict[str, float]:
    numbers = (value.value, value.low, value.high) if value else (np.nan,) * 3
    return dict(zip((name, f"{name}_low", f"{name}_high"), numbers, strict=True))
