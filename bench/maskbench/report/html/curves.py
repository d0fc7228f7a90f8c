"""The page's curves: leakage against the attacker's data, and what is kept and leaks against the share hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskbench.metrics.catalogue import MAIN, metric_of
from maskbench.report.curves import Curve, aux_curves, labelled, ratio_curves
from maskbench.report.html.plot import numbers
from maskbench.report.short_names import short_names
from maskbench.report.style import Style
from maskbench.results.reading import ATTACKS, Value, methods
from maskbench.runfolder.folder import RunFolder


def curve_panels(run: RunFolder, styles: Mapping[str, Style]) -> list[dict[str, Any]]:
    """A panel for each kind of curve that the run has, as JSON values."""
    names = short_names([method for method, _, _ in methods(run.cells)]).of
    hidden = "share of the picture that is hidden"
    data = "share of its pictures that the attacker uses"
    panels = [
        _panel(
            "Accuracy on owner-test, %", hidden, labelled(ratio_curves(run.cells, "recognition"), names), 100, styles
        )
    ]
    for kind in ATTACKS:
        metric = metric_of(kind, MAIN[kind])
        scale, unit = (100, ", %") if metric.unit == "share" else (1, "")
        name = metric.name.replace("_", " ").replace("ssim", "SSIM") + unit
        panels.append(
            _panel(f"Strongest {kind}: {name}", hidden, labelled(ratio_curves(run.cells, kind), names), scale, styles)
        )
        curves = labelled(aux_curves(run.cells, kind), names)
        attacks = {curve.attack for curve in curves}
        by = f" ({attacks.pop()})" if len(attacks) == 1 else ""
        panels.append(_panel(f"{kind.capitalize()}{by}: {name}", data, curves, scale, styles))
    return [panel for panel in panels if panel["curves"]]


def _panel(title: str, x: str, curves: list[Curve], scale: int, styles: Mapping[str, Style]) -> dict[str, Any]:
    return {
        "title": title,
        "x": x,
        "curves": [
            {
                "name": curve.label,
                "control": curve.role != "method",
                "colour": styles[curve.method].colour,
                "symbol": styles[curve.method].symbol,
                "points": [
                    [point.x, *(numbers(_scaled(point, scale)) or ())] for point in curve.points.itertuples(index=False)
                ],
            }
            for curve in curves
        ],
    }


def _scaled(point: Any, scale: int) -> Value:
    return Value(scale * point.value, scale * point.ci_low, scale * point.ci_high)
