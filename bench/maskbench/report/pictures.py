"""The picture grid: what was there, what was released, and what each attack made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from maskbench.plugins.attack import RestorationAttack
from maskbench.plugins.method import Method
from maskbench.release import Release, to_float
from maskbench.report.figures import save
from maskbench.results.result import Result
from maskbench.running import Run
from maskbench.stages.data import Dataset
from maskbench.stages.party_release import StoredRelease, release_input

_EXAMPLES = 2
_SPLIT = "owner_train"

_PICTURE = 1.15
"""Inches: width of a picture with its margin, the unit of what follows."""
_GAP, _MARGIN, _TITLE, _LETTER = 0.04, 0.04, 0.22, 0.065


def picture_grid(run: Run, path: Path) -> None:
    """For two outsourced images and each method: raw, released, mask, each restoration. As PNG and SVG."""
    methods = [method for method in _distinct(run) if _restorations(run, method)]
    attacks = [
        attack
        for attack in run.matrix.attacks
        if isinstance(attack, RestorationAttack) and any(_changes(run, method, attack) for method in methods)
    ]
    if not methods:
        return
    titles = ("raw", "released", "mask", *(attack.label() for attack in attacks))
    names = [method.label(leave_out=("adjust",)).replace(":", "\n") for method in methods]
    shown = [_row(run, method, attacks, example) for example in range(_EXAMPLES) for method in methods]
    save(draw_grid(shown, names * _EXAMPLES, titles), path)


def draw_grid(rows: Sequence[Sequence[Tensor | None]], names: Sequence[str], titles: Sequence[str]) -> Figure:
    """Pictures of one size, (channels, height, width) in [0, 1], below titles and right of names; None is a dash.

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
    for column, title in enumerate(titles):
        axes.text(column + 0.5, -_GAP, title, fontsize=9, ha="center", va="bottom")
    axes.set_xlim(-names_width, len(titles))
    axes.set_ylim(len(rows), -_TITLE * width / height)
    return figure


def _distinct(run: Run) -> list[Method]:
    """The methods, without those that release what another one releases."""
    found: dict[str, Method] = {}
    for method in run.matrix.methods:
        found.setdefault(method.label(leave_out=("adjust",)), method)
    return list(found.values())


def _restorations(run: Run, method: Method) -> dict[str, Result]:
    """Attack → its result on a method, for the first seed."""
    return {
        result.cell.attack_name: result
        for result in run.results
        if result.cell.method == method
        and result.cell.seed == 0
        and result.status == "ok"
        and result.cell.aux_share == 1
        if isinstance(result.cell.attack, RestorationAttack)
    }


def _changes(run: Run, method: Method, attack: RestorationAttack) -> bool:
    """Whether an attack shows anything else than the release, which has a column of its own."""
    result = _restorations(run, method).get(attack.label())
    if result is None:
        return False
    return any(
        not torch.equal(_restored(run, result, number), _release(run, result, number).images[0])
        for number in range(_EXAMPLES)
    )


def _row(run: Run, method: Method, attacks: list[RestorationAttack], example: int) -> list[Tensor | None]:
    found = _restorations(run, method)
    dataset, positions = _scored(run)
    release = _release(run, next(iter(found.values())), example)
    raw = to_float(dataset.bytes(_SPLIT)[positions[example]])
    mask = None if release.masks is None else release.masks[0]
    results = [found.get(attack.label()) for attack in attacks]
    restored = [None if result is None else _restored(run, result, example) for result in results]
    return [raw, release.images[0], mask, *restored]


def _scored(run: Run) -> tuple[Dataset, Tensor]:
    dataset = Dataset(run.artifact(run.plan.key(run.matrix.data)))
    return dataset, dataset.scored(_SPLIT, run.matrix.suite.settings.scored)


def _release(run: Run, result: Result, example: int) -> Release:
    key = run.plan.key(result.cell.scoring.inputs()[release_input("owner")])
    return StoredRelease(run.artifact(key)).release(_SPLIT, _scored(run)[1][example : example + 1])


def _restored(run: Run, result: Result, example: int) -> Tensor:
    key = run.plan.key(result.cell.scoring.inputs()["restoration"])
    return to_float(run.artifact(key).tensors[_SPLIT][example])


def _show(axes: Axes, picture: Tensor, extent: tuple[float, float, float, float]) -> None:
    values = picture.permute(1, 2, 0) if picture.shape[0] == 3 else picture[0]
    axes.imshow(
        values.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto", extent=extent, zorder=1
    )
    left, right, bottom, top = extent
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, linewidth=0.6, zorder=2))
