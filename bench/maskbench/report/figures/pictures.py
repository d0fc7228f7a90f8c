"""The picture grid: what was there, what was released, and what each attack made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from maskbench.report.hidden import names_of_examples
from maskbench.report.parts import Figure as Part
from maskbench.results.examples import Example
from maskbench.runfolder.folder import RunFolder

Pixels = NDArray[np.uint8]

_PICTURE = 1.15
"""Inches: width of a picture with its margin, the unit of what follows."""
_GAP, _MARGIN, _TITLE, _LETTER = 0.04, 0.04, 0.22, 0.065


def draw(run: RunFolder) -> Figure | None:
    """For each example and method: raw, released, mask, each restoration; None without pictures."""
    if not run.pictures:
        return None
    restored = set(_named(picture.attack for picture in run.pictures))
    # In the order of the suite: not every attack runs on the first method.
    asked = [attack for attack in run.provenance["attacks"] if attack in restored]
    made_of_others = sorted(restored - set(asked))
    attacks = [attack for attack in (*asked, *made_of_others) if _changes(run, attack)]
    rows, names = [], []
    methods, called = _named(picture.method for picture in run.pictures), names_of_examples(run)
    for example in sorted({picture.example for picture in run.pictures}):
        for method in methods:
            found: dict[tuple[str, str], Pixels] = {
                (it.shows, it.attack): it.pixels for it in run.pictures if (it.method, it.example) == (method, example)
            }
            shown = [("raw", ""), ("released", ""), ("mask", ""), *(("restored", attack) for attack in attacks)]
            rows.append([found.get(wanted) for wanted in shown])
            names.append(called(method).replace(":", "\n"))
    return draw_grid(rows, names, ("raw", "released", "mask", *attacks), together=len(methods))


def _named(names: Iterable[str]) -> list[str]:
    """Each name once, in order; without what has none."""
    return list(dict.fromkeys(filter(None, names)))


def _changes(run: RunFolder, attack: str) -> bool:
    """Whether an attack shows anything else than the release, which has a column of its own."""
    released = {(it.method, it.example): it.pixels for it in run.pictures if it.shows == "released"}
    restored: list[Example] = [it for it in run.pictures if it.attack == attack]
    return any(not np.array_equal(it.pixels, released[it.method, it.example]) for it in restored)


def draw_grid(
    rows: Sequence[Sequence[Pixels | None]], names: Sequence[str], titles: Sequence[str], *, together: int = 0
) -> Figure:
    """Pictures of one size, uint8 (C, H, W), below titles and right of names; None is a dash.

    A line divides each ``together`` rows from the next; 0: there is none.

    All lie in one system of axes whose unit is a picture and its margin: an axis for each takes ten times as long.
    """
    height, width = next(picture for row in rows for picture in row if picture is not None).shape[1:]
    names_width = _LETTER * max(len(line) for name in names for line in name.split("\n")) + _MARGIN
    size = (_PICTURE * (len(titles) + names_width), _PICTURE * (len(rows) * height / width + _TITLE))
    figure = Figure(figsize=size)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for number, (name, row) in enumerate(zip(names, rows, strict=True)):
        middle = number + 0.5
        axes.text(-_MARGIN, middle, name, fontsize=8, ha="right", va="center")
        for column, picture in enumerate(row):
            if picture is None:
                axes.text(column + 0.5, middle, "–", ha="center", va="center", color="grey")
            else:
                _show(axes, picture, (column + _GAP, column + 1 - _GAP, number + 1 - _GAP, number + _GAP))
    for number in range(together, len(rows), together or len(rows)):
        axes.axhline(number, color="0.3", linewidth=1.2)
    for column, title in enumerate(titles):
        axes.text(column + 0.5, -_GAP, title, fontsize=9, ha="center", va="bottom")
    axes.set_xlim(-names_width, len(titles))
    axes.set_ylim(len(rows), -_TITLE * width / height)
    return figure


def _show(axes: Axes, picture: Pixels, extent: tuple[float, float, float, float]) -> None:
    values = picture.transpose(1, 2, 0) if len(picture) == 3 else picture[0]
    axes.imshow(values, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto", extent=extent, zorder=1)
    left, right, bottom, top = extent
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, linewidth=0.6, zorder=2))


FIGURES = (Part("pictures", draw),)
