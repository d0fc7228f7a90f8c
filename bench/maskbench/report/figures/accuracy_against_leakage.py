"""What methods keep against what they leak to the strongest attack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from maskbench.report.hidden import hidden_shares
from maskbench.report.parts import Figure as Part
from maskbench.report.style import COLOURS, MARKERS
from maskbench.report.summary import summarize, value_of
from maskbench.report.text import NOT_MEASURED
from maskbench.results.reading import Value, records
from maskbench.runfolder.folder import RunFolder

_LETTERS, _HANDLE = 130, 8
"""What a line of the legend holds, and what an entry's marker takes of it."""


def draw(run: RunFolder) -> Figure:
    """Accuracy against the strongest restoration and the strongest inference of a label.

    Up and to the left is better, but where what is inferred is the target label: that is what a release is for.
    """
    hidden = hidden_shares(run.cells)
    rows = [
        row | {"legend": _legend(row["method"], hidden(row["method"], row["ratio"]))} for row in records(summarize(run))
    ]
    figure = Figure(figsize=(10.5, 6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    _panel(panels[0], rows, "restoration")
    panels[0].set_title("Restoration: up and left is better", fontsize=11)
    panels[0].set_xlabel("SSIM in the hole, of the strongest attack")
    _panel(panels[1], rows, "inference")
    side = "up and left is better" if run.inferred == "sensitive" else "the task itself, a probe and no leak"
    panels[1].set_title(f"Inference: {side}", fontsize=11)
    panels[1].set_xlabel(f"advantage on the {run.inferred} label, of the strongest attack")
    panels[0].set_ylabel("accuracy on owner-test")
    shown: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        markers = [handle[0] if isinstance(handle, ErrorbarContainer) else handle for handle in handles]
        shown |= dict(zip(labels, markers, strict=True))
    if shown:
        columns = max(1, min(4, len(shown), _LETTERS // (max(map(len, shown)) + _HANDLE)))
        figure.legend(
            shown.values(), shown.keys(), loc="outside lower center", ncols=columns, frameon=False, fontsize=9
        )
    first = run.cells.iloc[0]
    seeds = int(run.cells["seeds"].max()) if run.cells["seeds"].notna().any() else 0
    figure.suptitle(
        "What each method keeps, and what it leaks to the strongest attack that was run\n"
        f"{first['dataset']} · {seeds} {'seed' if seeds == 1 else 'seeds'} · 95 % intervals",
        fontsize=12,
    )
    return figure


def _legend(method: str, share: str) -> str:
    return method if share == NOT_MEASURED else f"{method} ({share} hidden)"


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]], leakage: str) -> None:
    for number, row in enumerate(rows):
        x, y = value_of(row, leakage), value_of(row, "accuracy")
        if x is None or y is None:
            continue
        axes.errorbar(
            x.value,
            y.value,
            xerr=_reach(x),
            yerr=_reach(y),
            fmt=MARKERS[number % len(MARKERS)],
            color=COLOURS[number % len(COLOURS)],
            markersize=7,
            alpha=0.85,
            elinewidth=1,
            capsize=2,
            label=row["legend"],
        )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(0.08)


def _reach(value: Value) -> list[list[float]]:
    """Distances from a value to the ends of its interval; a bootstrap interval may not hold the value itself."""
    return [[max(value.value - value.low, 0.0)], [max(value.high - value.value, 0.0)]]


FIGURES = (Part("accuracy-against-leakage", draw),)
