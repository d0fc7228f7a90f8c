"""Figures without legends: names that cover nothing, short ones, one for what coincides; and the frontier."""

from __future__ import annotations

from itertools import combinations

import pytest
from maskbench.report.curves import labelled, ratio_curves
from maskbench.report.figures.accuracy_against_leakage import draw
from maskbench.report.figures.curves import against_ratio
from maskbench.report.labels import Mark, place_labels, spread
from maskbench.report.short_names import short_names
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from planted_methods import Planted, planted
from planted_pages import full_run


def texts(drawing: Figure) -> set[str]:
    """All names in a figure."""
    return {text.get_text() for axes in drawing.axes for text in axes.texts}


def test_names_stay_inside_and_cover_no_other_name() -> None:
    drawing = Figure(figsize=(6, 5))
    axes = drawing.subplots()
    marks = [
        Mark(0.5 + 0.05 * number, 0.5 + 0.02 * (number % 3), f"method-{number}", ((0.4, 1), (0.4, 0.6)))
        for number in range(9)
    ]
    axes.set(xlim=(0, 1), ylim=(0, 1))
    place_labels(axes, marks)
    canvas = FigureCanvasAgg(drawing)
    canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(marks)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    field = axes.get_window_extent()
    assert all(field.x0 <= box.x0 and box.x1 <= field.x1 and field.y0 <= box.y0 and box.y1 <= field.y1 for box in boxes)


def test_marks_that_coincide_share_one_name() -> None:
    axes = Figure(figsize=(6, 5)).subplots()
    place_labels(axes, [Mark(0.5, 0.5, name, ((0.5, 0.5), (0.5, 0.5))) for name in "abcde"])
    assert [text.get_text() for text in axes.texts] == ["a,\nb,\nc\nand 2 more"]


def test_names_at_the_ends_of_curves_move_as_little_as_they_must() -> None:
    assert spread([0.2, 0.8], 0.1, 0, 1) == [0.2, 0.8]
    assert spread([0.5, 0.5, 0.5], 0.1, 0, 1) == pytest.approx([0.4, 0.5, 0.6])
    assert spread([1.0, 0.98], 0.1, 0, 1) == pytest.approx([1.0, 0.9])


def test_a_parameter_that_all_share_is_said_once() -> None:
    found = short_names(["raw", "random:patch=8", "saliency:patch=8,adjust=masknet", "saliency:patch=8"])
    assert list(found.of.values()) == ["raw", "random", "saliency:adjust=masknet", "saliency"]
    assert found.note == "all with patch=8"


def test_no_two_methods_get_one_name() -> None:
    names = ["saliency", "saliency:attribution=grad-cam", "universal:attribution=grad-cam", "x:a=1", "x:a=2"]
    found = short_names(names)
    assert list(found.of.values()) == names and found.note == ""


def test_the_figure_names_methods_data_and_the_frontier() -> None:
    drawing = draw(full_run())
    assert {"raw", "full mask (chance)", "saliency 75%", "frontier"} <= texts(drawing)
    assert not drawing.legends and not any(axes.get_legend() for axes in drawing.axes)
    title = drawing.get_suptitle()
    assert "planted · n = 400 · 2 seeds" in title


def test_what_is_no_leak_has_no_better_side() -> None:
    titles = [axes.get_title(loc="left") for axes in draw(planted(Planted("m", 0.8, 0.3), sensitive=False)).axes]
    assert any("a probe, no leak" in title for title in titles)


def test_curves_that_coincide_are_drawn_as_one() -> None:
    kept = {0.5: 0.9, 0.75: 0.8, 0.9: 0.7}
    twins = ("", "adjust=masknet")
    run = planted(*(Planted("m", kept[ratio], 0.3, 0.4, ratio, params=twin) for twin in twins for ratio in kept))
    names = {"m": "m", "m:adjust=masknet": "m:adjust=masknet"}
    assert [curve.label for curve in labelled(ratio_curves(run.cells, "recognition"), names)] == ["m, m:adjust=masknet"]
    drawing = against_ratio(run)
    assert drawing is not None and "m, m:adjust=masknet" in texts(drawing)
