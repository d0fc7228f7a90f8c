"""Leakage as a curve: against the attacker's data, and against the share that is hidden."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maskbench.metrics.metric import Family
from maskbench.report.curves import Curve, aux_curves, labelled, ratio_curves
from maskbench.report.labels import spread
from maskbench.report.parts import Figure as Part
from maskbench.report.short_names import short_names
from maskbench.report.style import Style, method_styles
from maskbench.report.titles import about
from maskbench.results.reading import methods
from maskbench.runfolder.folder import RunFolder

_AXES: dict[Family, str] = {"inference": "advantage over the prior", "restoration": "SSIM in the hole"}
_CONTROL_LINES = {"raw": ":", "null": "--"}
_LETTER, _LINE = 0.062, 0.165  # inches: of a name at the end of a curve, and between two of them


def against_aux(run: RunFolder) -> Figure | None:
    """Leakage against the share of its pictures that the attacker uses; None without a curve."""
    panels = {name: aux_curves(run.cells, kind) for kind, name in _AXES.items()}
    return _draw(run, panels, "share of the attacker's training pictures that it uses", log=True)


def against_ratio(run: RunFolder) -> Figure | None:
    """Accuracy and leakage against the share that is hidden; None without a curve."""
    panels = {"accuracy on owner-test": ratio_curves(run.cells, "recognition")}
    panels |= {f"strongest attack: {name}": ratio_curves(run.cells, kind) for kind, name in _AXES.items()}
    return _draw(run, panels, "share of the image that is hidden", log=False)


def _draw(run: RunFolder, panels: dict[str, list[Curve]], x_label: str, *, log: bool) -> Figure | None:
    names = short_names([method for method, _, _ in methods(run.cells)])
    panels = {name: labelled(curves, names.of) for name, curves in panels.items() if curves}
    if not panels:
        return None
    longest = max(len(curve.label) for curves in panels.values() for curve in curves)
    most = max(len(curves) for curves in panels.values())
    width, height = 3.6 + _LETTER * longest, max(3.9, 1.3 + _LINE * most)
    figure = Figure(figsize=(width * len(panels), height), layout="constrained")
    styles = method_styles([run.cells])
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, curves) in zip(all_axes, panels.items(), strict=True):
        for curve in curves:
            _line(axes, curve, styles[curve.method])
        if log:
            axes.set_xscale("log", base=2)
        ticks = sorted({x for curve in curves for x in curve.points["x"]})
        axes.set_xticks(ticks, [f"{x:.0%}" for x in ticks])
        axes.minorticks_off()
        axes.set_xlabel(x_label)
        attacks = {curve.attack for curve in curves if curve.attack}
        axes.set_ylabel(f"{name}: {attacks.pop()}" if len(attacks) == 1 else name)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        _names(axes, curves, styles, height)
    strongest = "each method's strongest attack with a curve" if log else "strongest attack"
    said = (about(run), "95 % intervals", strongest, names.note)
    figure.suptitle(" · ".join(filter(None, said)), fontsize=10.5)
    return figure


def _line(axes: Axes, curve: Curve, style: Style) -> None:
    points = curve.points
    axes.plot(
        points["x"],
        points["value"],
        color=style.colour,
        marker="" if style.control else style.marker,
        linestyle=_CONTROL_LINES.get(curve.role, "-"),
        markersize=5,
        linewidth=1.4,
    )
    axes.fill_between(points["x"], points["ci_low"], points["ci_high"], color=style.colour, alpha=0.12, linewidth=0)


def _names(axes: Axes, curves: list[Curve], styles: Mapping[str, Style], height: float) -> None:
    """Write the name of each curve at its right end, moved up or down where another name stands."""
    low, high = axes.get_ylim()
    ends = [(float(curve.points["x"].iloc[-1]), float(curve.points["value"].iloc[-1])) for curve in curves]
    gap = (high - low) * _LINE / (height - 1.2)
    beside = axes.get_yaxis_transform()  # x as a share of the axes, y as the data have it
    for curve, end, at in zip(curves, ends, spread([y for _, y in ends], gap, low, high), strict=True):
        line = {"arrowstyle": "-", "color": styles[curve.method].colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(
            curve.label,
            xy=end,
            xytext=(1.05, at),
            textcoords=beside,
            fontsize=8.5,
            va="center",
            arrowprops=line,
            annotation_clip=False,
        )


FIGURES = (Part("leakage-against-aux", against_aux), Part("leakage-against-ratio", against_ratio))
