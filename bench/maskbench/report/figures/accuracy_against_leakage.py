"""What methods keep against what they leak to the strongest attack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maskbench.report.hidden import hidden_shares
from maskbench.report.labels import Mark, place_labels
from maskbench.report.parts import Figure as Part
from maskbench.report.short_names import short_names
from maskbench.report.style import Style, method_styles
from maskbench.report.summary import summarize, value_of
from maskbench.report.text import NOT_MEASURED
from maskbench.report.titles import about
from maskbench.results.reading import Value, methods, records
from maskbench.runfolder.folder import RunFolder

_CONTROL_NAMES = {"raw": "raw", "null": "full mask (chance)"}
_PANELS = {
    "inference": "advantage of the strongest inference of the {label} label, %",
    "restoration": "hole SSIM of the strongest restoration",
}
_LONG = 0.15  # of the figure, across and up together
_SCALES = {"inference": 100.0, "restoration": 1.0}


def draw(run: RunFolder) -> Figure:
    """Accuracy against the strongest inference of a label and the strongest restoration, a panel each.

    Up and to the left is better, but where what is inferred is the target label: that is what a release is for.
    """
    names = short_names([method for method, _, _ in methods(run.cells)])
    rows = _named(run, names.of)
    shown = {leakage: [row for row in rows if _measured(row, leakage)] for leakage in _PANELS}
    shown = {leakage: found for leakage, found in shown.items() if found} or {"inference": []}
    figure = Figure(figsize=(6.4 * len(shown), 5.4), layout="constrained")
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    styles = method_styles([run.cells])
    for axes, (leakage, found) in zip(panels, shown.items(), strict=True):
        _panel(axes, found, leakage, styles)
        axes.set_xlabel(_PANELS[leakage].format(label=run.inferred))
        if leakage == "inference" and run.inferred == "target":
            _corner(axes, "the task itself: a probe, no leak")
        else:
            _corner(axes, "$\\nwarrow$ better: keeps more, leaks less")
    panels[0].set_ylabel("accuracy on owner-test, %")
    said = ("What each method keeps, and what it leaks", f"{about(run)} · 95 % intervals", names.note)
    figure.suptitle("\n".join(filter(None, said)), fontsize=11)
    # Names are placed in the figure as it will be, so its layout has to be done, and stay.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes, (leakage, found) in zip(panels, shown.items(), strict=True):
        place_labels(axes, [_mark(row, leakage) for row in found])
    return figure


def _named(run: RunFolder, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows of the summary, each with the name that stands beside its mark."""
    hidden = hidden_shares(run.cells)
    rows = records(summarize(run))
    occurring = [row["method"] for row in rows]
    for row in rows:
        share = hidden(row["method"], row["ratio"])
        several = occurring.count(row["method"]) > 1 and share != NOT_MEASURED
        row["name"] = _CONTROL_NAMES.get(row["role"], names[row["method"]] + (f" {share}" if several else ""))
    return rows


def _measured(row: Mapping[str, Any], leakage: str) -> bool:
    return value_of(row, leakage) is not None and value_of(row, "accuracy") is not None


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]], leakage: str, styles: Mapping[str, Style]) -> None:
    _frontier(axes, rows, leakage)
    for method in dict.fromkeys(row["method"] for row in rows):
        style = styles[method]
        own = sorted(
            (_point(row, leakage) for row in rows if row["method"] == method), key=lambda point: point[0].value
        )
        if len(own) > 1:
            axes.plot(
                *zip(*((x.value, y.value) for x, y in own), strict=True), color=style.colour, linewidth=1, linestyle=":"
            )
        for x, y in own:
            axes.errorbar(
                x.value,
                y.value,
                xerr=_reach(x),
                yerr=_reach(y),
                fmt=style.marker,
                color=style.colour,
                markersize=7.5,
                markerfacecolor="white" if style.control else style.colour,
                markeredgecolor="#333333",
                markeredgewidth=1.3 if style.control else 0.6,
                elinewidth=0.9,
                zorder=3,
            )
    null = next((value_of(row, leakage) for row in rows if row["role"] == "null"), None)
    if null is not None:
        scale = _SCALES[leakage]
        axes.axvline(scale * null.value, color="0.45", linewidth=0.9, linestyle="--", zorder=1)
        axes.axvspan(scale * null.low, scale * null.high, color="0.5", alpha=0.12, linewidth=0, zorder=0)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(0.1, 0.08)


def _frontier(axes: Axes, rows: Sequence[Mapping[str, Any]], leakage: str) -> None:
    """Join the methods that nothing, raw and full mask included, beats in both."""
    points = [_point(row, leakage) for row in rows]
    places = [(x.value, y.value) for x, y in points]
    joined = sorted(
        place
        for place, row in zip(places, rows, strict=True)
        if row["role"] == "method" and not any(_beats(other, place) for other in places)
    )
    if len(joined) > 1:
        axes.plot(*zip(*joined, strict=True), color="0.45", linewidth=5, alpha=0.25, solid_capstyle="round", zorder=1)
        _name_frontier(axes, joined, places)


def _name_frontier(axes: Axes, joined: Sequence[tuple[float, float]], places: Sequence[tuple[float, float]]) -> None:
    """Write what the line is beside its longest part; nowhere, where that is hidden below marks."""
    width, height = (max(along) - min(along) or 1.0 for along in zip(*places, strict=True))
    parts = [
        (abs(x1 - x0) / width + abs(y1 - y0) / height, ((x0 + x1) / 2, (y0 + y1) / 2))
        for (x0, y0), (x1, y1) in pairwise(joined)
    ]
    length, middle = max(parts)
    if length > _LONG:
        axes.annotate("frontier", middle, fontsize=7.5, color="0.4", ha="right", va="bottom")


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether a place, as (leakage, accuracy), is no worse in both, and better in one."""
    return one != other and one[0] <= other[0] and one[1] >= other[1]


def _point(row: Mapping[str, Any], leakage: str) -> tuple[Value, Value]:
    x, y = value_of(row, leakage), value_of(row, "accuracy")
    if x is None or y is None:
        raise ValueError(f"{row['method']} was not measured")
    return _times(_SCALES[leakage], x), _times(100.0, y)


def _mark(row: Mapping[str, Any], leakage: str) -> Mark:
    x, y = _point(row, leakage)
    return Mark(x.value, y.value, row["name"], ((x.low, x.high), (y.low, y.high)))


def _times(scale: float, value: Value) -> Value:
    return Value(scale * value.value, scale * value.low, scale * value.high)


def _corner(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=9.5, color="0.35", loc="left")


def _reach(value: Value) -> list[list[float]]:
    """Distances from a value to the ends of its interval; a bootstrap interval may not hold the value itself."""
    return [[max(value.value - value.low, 0.0)], [max(value.high - value.value, 0.0)]]


FIGURES = (Part("accuracy-against-leakage", draw),)
