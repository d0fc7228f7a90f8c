"""Figures of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maskbench.report.summary import Row
from maskbench.results.reading import Value

COLOURS = (
    "#3b6fb6", "#c2542d", "#3f8f5f", "#8a5fb0", "#b08a2e", "#5a7684", "#b0476e", "#4d4d4d", "#19a5b5", "#e29ac4"
)  # fmt: skip
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "<", ">")


def accuracy_against_leakage(summary: Sequence[Row], inferred: str, path: Path) -> None:
    """Accuracy against the worst restoration and the worst inference of a label, as PNG and SVG.

    Up and to the left is better, but where what is inferred is the target label: that is what a release is for.
    """
    figure = Figure(figsize=(10.5, 6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    _panel(panels[0], summary, lambda row: row.restoration, "worst restoration: SSIM in the hole\n(left is better)")
    side = "left is better" if inferred == "sensitive" else "the task itself: a probe, not a leak"
    label = f"worst inference: advantage on the {inferred} label\n({side})"
    _panel(panels[1], summary, lambda row: row.inference, label)
    panels[0].set_ylabel("accuracy on owner-test")
    shown: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    if shown:
        columns = min(4, len(shown))
        figure.legend(
            shown.values(), shown.keys(), loc="outside lower center", ncols=columns, frameon=False, fontsize=9
        )
    figure.suptitle("What a method keeps, and what it leaks to the worst attack that was run (95 % intervals)")
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and as SVG."""
    for suffix in (".png", ".svg"):
        figure.savefig(path.with_suffix(suffix), dpi=150)


def _panel(axes: Axes, summary: Sequence[Row], leakage: Callable[[Row], Value | None], label: str) -> None:
    for number, row in enumerate(summary):
        x, y = leakage(row), row.accuracy
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
            label=row.method if row.ratio != row.ratio else f"{row.method} ({row.ratio:.0%} hidden)",
        )
    axes.set_xlabel(label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(0.08)


def _reach(value: Value) -> list[list[float]]:
    """Distances from a value to the ends of its interval; a bootstrap interval may not hold the value itself."""
    return [[max(value.value - value.low, 0.0)], [max(value.high - value.value, 0.0)]]
