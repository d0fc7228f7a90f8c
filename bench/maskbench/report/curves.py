"""Leakage as a curve: against the attacker's data, and against the share that is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maskbench.plugins.reserved import STRONGEST
from maskbench.report.figures import COLOURS, MARKERS, save
from maskbench.results.estimates import MAIN
from maskbench.results.reading import HEADLINE_SPLIT, methods, pooled
from maskbench.results.schema import DERIVED

_AXES = {"restoration": "SSIM in the hole", "inference": "advantage over the prior"}
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


def aux_curves(cells: pd.DataFrame, kind: str) -> list[Curve]:
    """Against the share of its pictures that the attacker uses: for each method its strongest attack with a curve.

    The strongest is the one that gets most with all pictures. Empty where a run had one share alone.
    """
    rows = cells[cells["seed"].isna() & (cells["status"] == "ok") & ~cells["attack"].isin(DERIVED)]
    rows = rows[(rows["attack_kind"] == kind) & (rows["split"] == rows["label"].map(HEADLINE_SPLIT))]
    rows = rows[rows["metric"] == MAIN[kind]]
    found = []
    for method, ratio, mine in methods(rows):
        groups = [part for _, part in mine.groupby(["attack", "label"], sort=False) if part["aux_share"].nunique() > 1]
        if groups:
            best = max(groups, key=lambda part: part.loc[part["aux_share"].idxmax(), "value"])
            label = f"{_named(method, ratio)}: {best['attack'].iloc[0]}"
            found.append(Curve(label, best["role"].iloc[0], _points(best, "aux_share")))
    return found


def ratio_curves(cells: pd.DataFrame, kind: str) -> list[Curve]:
    """The realizable worst case against the share that is hidden, of methods that were run with several."""
    rows = pooled(cells)
    if kind == "recognition":
        rows = rows[(rows["attack_kind"] == "none") & (rows["metric"] == "accuracy")]
    else:
        rows = rows[(rows["attack"] == STRONGEST) & (rows["attack_kind"] == kind) & (rows["metric"] == MAIN[kind])]
        rows = rows[rows["split"] == rows["label"].map(HEADLINE_SPLIT)]
    found = []
    for (method, params), part in rows.groupby(["method", "params"], sort=False):
        if part["ratio"].nunique() > 1:
            label = f"{method}:{params}" if params else method
            found.append(Curve(label, part["role"].iloc[0], _points(part, "ratio")))
    return found


def draw_curves(cells: pd.DataFrame, folder: Path) -> None:
    """Write ``leakage-against-aux`` and ``leakage-against-ratio`` as PNG and SVG, each where there is a curve."""
    aux = {name: aux_curves(cells, kind) for kind, name in _AXES.items()}
    _draw(aux, "share of the attacker's training pictures that it uses", folder / "leakage-against-aux", log=True)
    ratio = {"accuracy on owner-test": ratio_curves(cells, "recognition")}
    ratio |= {f"worst case: {name}": ratio_curves(cells, kind) for kind, name in _AXES.items()}
    _draw(ratio, "share of the image that is hidden", folder / "leakage-against-ratio", log=False)


def _draw(panels: dict[str, list[Curve]], x_label: str, path: Path, *, log: bool) -> None:
    panels = {name: curves for name, curves in panels.items() if curves}
    if not panels:
        return
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
    figure.suptitle("95 % intervals; " + ("for each method its strongest attack" if log else "realizable worst case"))
    save(figure, path)


def _styled(curves: Sequence[Curve]) -> Iterator[tuple[Curve, dict[str, str]]]:
    """Methods in colours, controls in grey."""
    number = 0
    for curve in curves:
        if curve.role in _CONTROL_STYLE:
            yield curve, {"color": "#888888", "marker": "", "linestyle": _CONTROL_STYLE[curve.role]}
            continue
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        yield curve, {"color": colour, "marker": marker, "linestyle": "-"}
        number += 1


def _line(axes: Axes, curve: Curve, style: dict[str, str]) -> None:
    points = curve.points
    axes.plot(points["x"], points["value"], markersize=5, linewidth=1.4, label=curve.label, **style)
    axes.fill_between(points["x"], points["ci_low"], points["ci_high"], color=style["color"], alpha=0.12, linewidth=0)


def _points(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    named = rows.rename(columns={x: "x"})[["x", "value", "ci_low", "ci_high"]]
    return named.sort_values("x").reset_index(drop=True)


def _named(method: str, ratio: float) -> str:
    return method if pd.isna(ratio) else f"{method} {ratio:.0%}"
