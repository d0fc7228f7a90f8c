"""The picture grid: every picture, dash and name is where it belongs, and nothing is cut off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from maskbench.report.figures.pictures import draw, draw_grid
from maskbench.report.hidden import names_of_examples
from maskbench.results.examples import Example
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from planted_methods import Planted, planted
from planted_runs import planted_run

NAMES = ["raw", "a-rather-long-name\nwith=parameters,and=more", "x"]
TITLES = ["raw", "released", "some-attack"]


def _grid(height: int, width: int, channels: int) -> Figure:
    rows = [
        [np.full((channels, height, width), 51 * row + 25 * column, dtype=np.uint8) for column in range(3)]
        for row in range(3)
    ]
    rows[1][2] = None
    return draw_grid(rows, NAMES, TITLES)


@pytest.mark.parametrize(("height", "width", "channels"), [(8, 8, 1), (8, 8, 3), (12, 6, 3), (6, 12, 1)])
def test_pictures_lie_in_their_cell_in_their_shape(height: int, width: int, channels: int) -> None:
    figure = _grid(height, width, channels)
    drawn = figure.axes[0].get_images()
    assert len(drawn) == 8
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    for image in drawn:
        value = float(np.asarray(image.get_array()).flat[0])
        left, _, _, top = image.get_extent()
        row, column = int(top), int(left)
        assert value == 51 * row + 25 * column
        box = image.get_window_extent()
        assert box.width / box.height == pytest.approx(width / height, rel=0.08)
        middle = pixels[pixels.shape[0] - int((box.y0 + box.y1) / 2), int((box.x0 + box.x1) / 2)]
        assert middle[0] == pytest.approx(value, abs=2)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (12, 6)])
def test_nothing_is_cut_off(height: int, width: int) -> None:
    figure = _grid(height, width, 1)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    whole = figure.bbox
    texts = figure.axes[0].texts
    assert {text.get_text() for text in texts} == {*NAMES, *TITLES, "–"}
    for text in texts:
        box = text.get_window_extent()
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1, text.get_text()
        assert whole.y0 <= box.y0 and box.y1 <= whole.y1, text.get_text()


def _picture(shows: str, attack: str = "", level: int = 0, method: str = "random", example: int = 0) -> Example:
    return Example(method, example, shows, attack, None, np.full((1, 8, 8), level, dtype=np.uint8))


def test_an_attack_that_shows_the_release_alone_has_no_column() -> None:
    shown = [_picture("raw", level=9), _picture("released"), _picture("mask", level=255)]
    shown += [_picture("restored", "same"), _picture("restored", "other", 7)]
    drawing = draw(planted_run([], shown))
    assert drawing is not None
    titles = {text.get_text() for text in drawing.axes[0].texts}
    assert {"raw", "released", "mask", "other", "random"} <= titles and "same" not in titles


def test_an_example_is_called_what_tables_call_its_method() -> None:
    run = planted(
        Planted("random", 0.8, 0.5, ratio=0.5),
        Planted("random", 0.7, 0.5, ratio=0.75),
        Planted("saliency", 0.7, 0.5, ratio=0.5, params="patch=8,adjust=masknet(gates=input),fill=mean"),
        Planted("pixelate", 0.7, 0.5),
    )
    asked = [
        "random:ratio=0.5",
        "random",
        "saliency:ratio=0.5,patch=8,adjust=masknet(gates=input),fill=mean",
        "pixelate",
    ]
    named = names_of_examples(replace(run, provenance=run.provenance | {"methods": asked}))
    assert named("random:ratio=0.5") == "random 50%" and named("random") == "random 75%"
    assert named("saliency:ratio=0.5,patch=8,fill=mean") == "saliency:patch=8,fill=mean 50%"
    assert named("pixelate") == "pixelate" and named("full-mask") == "full-mask 100%"
    assert named("of-another-run:ratio=0.5") == "of-another-run:ratio=0.5"


def test_without_pictures_there_is_no_grid() -> None:
    assert draw(planted_run([])) is None
