"""The picture grid: what was there, what was released, and what each attack made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from bench.plugins.attack import RestorationAttack
from bench.plugins.method import Method
from bench.release import Release, to_float
from bench.results.result import Result
from bench.run import Run
from bench.stages.data import Dataset
from bench.stages.released import read_release

_EXAMPLES = 2
_SPLIT = "owner_train"


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
    rows, columns = _EXAMPLES * len(methods), 3 + len(attacks)
    figure = Figure(figsize=(1.15 * columns + 1.6, 1.15 * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for number, method in enumerate(methods):
        for example in range(_EXAMPLES):
            _row(run, method, attacks, example, axes[example * len(methods) + number])
    for axis, title in zip(axes[0], ("raw", "released", "mask", *(attack.label() for attack in attacks)), strict=True):
        axis.set_title(title, fontsize=9)
    for suffix in (".png", ".svg"):
        figure.savefig(path.with_suffix(suffix), dpi=110)


def _distinct(run: Run) -> list[Method]:
    """The methods, without those that release what another one releases."""
    found: dict[str, Method] = {}
    for method in run.matrix.methods:
        found.setdefault(method.label(leave_out=("adjust",)), method)
    return list(found.values())


def _restorations(run: Run, method: Method) -> dict[str, Result]:
    """Attack → its result on a method, for the first seed."""
    return {
        result.cell.attack.label(): result
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


def _row(run: Run, method: Method, attacks: list[RestorationAttack], example: int, axes: NDArray[np.object_]) -> None:
    found = _restorations(run, method)
    dataset, positions = _scored(run)
    release = _release(run, next(iter(found.values())), example)
    _show(axes[0], to_float(dataset.bytes(_SPLIT)[positions[example]]))
    _show(axes[1], release.images[0])
    _show(axes[2], None if release.masks is None else release.masks[0])
    for axis, attack in zip(axes[3:], attacks, strict=True):
        result = found.get(attack.label())
        _show(axis, None if result is None else _restored(run, result, example))
    axes[0].set_ylabel(
        method.label(leave_out=("adjust",)).replace(":", "\n"),
        fontsize=8,
        rotation=0,
        ha="right",
        va="center",
    )


def _scored(run: Run) -> tuple[Dataset, Tensor]:
    dataset = Dataset(run.artifact(run.plan.key(run.matrix.data)))
    return dataset, dataset.scored(_SPLIT, run.matrix.suite.settings.scored)


def _release(run: Run, result: Result, example: int) -> Release:
    key = run.plan.key(result.cell.scoring.inputs()["release"])
    return read_release(run.artifact(key), _SPLIT, _scored(run)[1][example : example + 1])


def _restored(run: Run, result: Result, example: int) -> Tensor:
    key = run.plan.key(result.cell.scoring.inputs()["restoration"])
    return to_float(run.artifact(key).tensors[_SPLIT][example])


def _show(axis: Axes, image: Tensor | None) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    if image is None:
        axis.text(0.5, 0.5, "–", ha="center", va="center", transform=axis.transAxes, color="grey")
        axis.spines[:].set_visible(False)
        return
    picture = image.permute(1, 2, 0) if image.shape[0] == 3 else image[0]
    axis.imshow(picture.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
