"""The headline: one row a method, with what it keeps and what it leaks at worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from maskbench.plugins.reserved import STRONGEST
from maskbench.results.flag import KINDS, Flag
from maskbench.results.reading import Value, headline, methods, planned, pooled, read


@dataclass(frozen=True)
class Row:
    """A method's headline. What is None was not measured, because a cell failed or does not apply.

    Attributes:
        accuracy, utility: on owner-test.
        shape: accuracy on the target label of a classifier that sees the masks alone.
        restoration: worst case, SSIM in the hole, on owner-train; ``psnr`` is the same attack's, whole image.
        inference: worst case, advantage on the sensitive label, on owner-train (without a sensitive label: on the
            target label, on owner-test).
        over_null: ``inference`` minus that of the same attacks on fully masked images.
        ok, total: cells that ran, of those that were planned.
        marks: of the flags on the method, as in ``flag.KINDS``.
    """

    method: str
    ratio: float
    accuracy: Value | None
    utility: Value | None
    shape: Value | None
    restoration: Value | None
    psnr: Value | None
    inference: Value | None
    over_null: Value | None
    ok: int
    total: int
    marks: str


def summarize(cells: pd.DataFrame, flags: Sequence[Flag]) -> list[Row]:
    """One row for each method × ratio, in the order of the suite."""
    return [_row(method, ratio, mine, flags) for method, ratio, mine in methods(cells)]


def _row(method: str, ratio: float, mine: pd.DataFrame, flags: Sequence[Flag]) -> Row:
    rows = pooled(mine)
    recognition = rows[rows["attack_kind"] == "none"]
    shape = rows[(rows["probe"] == "shape") & (rows["label"] == "target") & (rows["split"] == "owner_test")]
    worst = headline(mine)
    worst = worst[worst["attack"] == STRONGEST]
    restoration, inference = (worst[worst["attack_kind"] == kind] for kind in ("restoration", "inference"))
    cells = planned(mine)
    # NaN, of a method without a ratio, equals nothing.
    own = {each.kind for each in flags if each.method == method and (each.ratio == ratio or ratio != ratio)}
    return Row(
        method=method,
        ratio=ratio,
        accuracy=read(recognition, "accuracy"),
        utility=read(recognition, "utility"),
        shape=read(shape, "accuracy"),
        restoration=read(restoration, "ssim_hole"),
        psnr=read(restoration, "psnr"),
        inference=read(inference, "advantage"),
        over_null=read(inference, "advantage_over_null"),
        ok=int((cells["status"] == "ok").sum()),
        total=len(cells),
        marks=" ".join(kind.mark for kind in KINDS if kind in own),
    )
