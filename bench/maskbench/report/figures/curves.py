"""Leakage as a curve: against the attacker's data, and against the share that is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maskbench.metrics.catalogue import MAIN
from maskbench.metrics.metric import Family
from maskbench.plugins.reserved import OPTIMUM, STRONGEST
from maskbench.report.parts import Figure as Part
from maskbench.report.style import COLOURS, MARKERS
from maskbench.results.reading import HEADLINE_SPLIT, grouped, methods, pooled
from maskbench.results.schema import DERIVED
from maskbench.runfolder.folder import RunFolder

_AXES: dict[Family, str] = {"restoration": "SSIM in the hole", "inference": "advantage over the prior"}
_CONTROL_STYLE = {"raw": ":", "null": "--"}


@dataclass(frozen=True)
class Curve:
    """Values of one metric over x, ascending.

    Attributes:
        role: of the method; controls are drawn as references.
        points: columns x, value, ci_low, ci_high.
    """

    label: str
    role: str
    points: pd.DataFrame


class _Style(NamedTuple):
    colour: str
    marker: str
    line: str


def aux_curves(cells: pd.DataFrame, kind: Family) -> list[Curve]:
    """Against the share of its pictures that the attacker uses: for each method its strongest attack with a curve.

    The strongest is the one that gets most with all pictures. Empty where a run had one share alone.
    """
    rows = cells[cells["seed"].isna() & (cells["status"] == "ok") & ~cells["attack"].isin((*DERIVED, OPTIMUM))]
    rows = rows[(rows["attack_kind"] == kind) & (rows["split"] == rows["label"].map(HEADLINE_SPLIT))]
    rows = rows[rows["metric"] == MAIN[kind]]
    found = []
    for method, ratio, mine in methods(rows):
        curves = [part for _, part in grouped(mine, "attack", "label") if part["aux_share"].nunique() > 1]
        if curves:
            best = max(curves, key=_with_all)
            label = f"{_named(method, ratio)}: {best['attack'].iloc[0]}"
            found.append(Curve(label, best["role"].iloc[0], _points(best, "aux_share")))
    return found


def ratio_curves(cells: pd.DataFrame, kind: Family) -> list[Curve]:
    """The strongest attack against the share that is hidden, of methods that were run with several."""
    rows = pooled(cells)
    if kind == "recognition":
        rows = rows[(rows["attack_kind"] == "none") & (rows["metric"] == "accuracy")]
    else:
        rows = rows[(rows["attack"] == STRONGEST) & (rows["attack_kind"] == kind) & (rows["metric"] == MAIN[kind])]
        rows = rows[rows["split"] == rows["label"].map(HEADLINE_SPLIT)]
    found = []
    for (method, params), part in grouped(rows, "method", "params"):
        if part["ratio"].nunique() > 1:
            label = f"{method}:{params}" if params else method
            found.append(Curve(label, part["role"].iloc[0], _points(part, "ratio")))
    return found


def against_aux(run: RunFolder) -> Figure | None:
    """Leakage against the share of its pictures that the attacker uses; None without a curve."""
    panels = {name: aux_curves(run.cells, kind) for kind, name in _AXES.items()}
    return _draw(panels, "share of the attacker's training pictures that it uses", log=True)


def against_ratio(run: RunFolder) -> Figure | None:
    """Accuracy and leakage against the share that is hidden; None without a curve."""
    panels = {"accuracy on owner-test": ratio_curves(run.cells, "recognition")}
    panels |= {f"strongest attack: {name}": ratio_curves(run.cells, kind) for kind, name in _AXES.items()}
    return _draw(panels, "share of the image that is hidden", log=False)


def _draw(panels: dict[str, list[Curve]], x_label: str, *, log: bool) -> Figure | None:
    panels = {name: curves for name, curves in panels.items() if curves}
    if not panels:
        return None
    tallest = max(len(curves) for curves in panels.values())
    figure = Figure(figsize=(5.2 * len(panels), 4 + 0.19 * tallest), layout="constrained")
    for axes, (name, curves) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for curve, style in _styled(curves):
            _line(axes, curve, style)
        if log:
            axes.set_xscale("log", base=2)
        ticks = sorted({x for curve in curves for x in curve.points["x"]})
        axes.set_xticks(ticks, [f"{x:.3g}" if log else f"{x:.0%}" for x in ticks])
        axes.minorticks_off()
        axes.set_xlabel(x_label)
        axes.set_ylabel(name)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, fontsize=8)
    strongest = "each method's strongest attack with a curve" if log else "strongest attack"
    figure.suptitle(f"95 % intervals; {strongest}")
    return figure


def _styled(curves: Sequence[Curve]) -> Iterator[tuple[Curve, _Style]]:
    """Methods in colours, controls in grey."""
    number = 0
    for curve in curves:
        if curve.role in _CONTROL_STYLE:
            yield curve, _Style("#888888", "", _CONTROL_STYLE[curve.role])
            continue
        yield curve, _Style(COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)], "-")
        number += 1


def _line(axes: Axes, curve: Curve, style: _Style) -> None:
    points = curve.points
    axes.plot(
        points["x"],
        points["value"],
        color=style.colour,
        marker=style.marker,
        linestyle=style.line,
        markersize=5,
        linewidth=1.4,
        label=curve.label,
    )
    axes.fill_between(points["x"], points["ci_low"], points["ci_high"], color=style.colour, alpha=0.12, linewidth=0)


def _with_all(rows: pd.DataFrame) -> float:
    """The value at the largest share of the attacker's pictures."""
    return float(rows["value"].to_numpy(np.float64)[rows["aux_share"].argmax()])


def _points(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    named = rows.rename(columns={x: "x"})[["x", "value", "ci_low", "ci_high"]]
    return named.sort_values("x").reset_index(drop=True)


def _named(method: str, ratio: float) -> str:
    return method if pd.isna(ratio) else f"{method} {ratio:.0%}"


FIGURES = (Part("leakage-against-aux", against_aux), Part("leakage-against-ratio", against_ratio))
