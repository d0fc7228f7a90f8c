"""The page's curves: leakage against the attacker's data, and what is kept and leaks against the share hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskbench.report.curves import Curve, aux_curves, labelled, ratio_curves
from maskbench.report.html.plot import axis_of, numbers
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
        axis = axis_of(kind)
        name, scale = axis["title"], axis["scale"]
        panels.append(
            _panel(f"Strongest attack: {name}", hidden, labelled(ratio_curves(run.cells, kind), names), scale, styles)
        )
        curves = labelled(aux_curves(run.cells, kind), names)
        attacks = {curve.attack for curve in curves}
        by = f" ({attacks.pop()})" if len(attacks) == 1 else ""
        panels.append(_panel(f"{name[0].upper()}{name[1:]}{by}", data, curves, scale, styles))
    return [panel for panel in panels if panel["curves"]]


def _panel(title: str, x: str, curves: list[Curve], scale: int, styles: Mapping[str, Style]) -> dict[str, Any]:
    return {
        "title": title,
        "x": x,
        "least": scale / 10,  # that its axis spans: a difference of nothing does not fill a panel
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
