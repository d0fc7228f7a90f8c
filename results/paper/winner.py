"""The picture of the winner in README.md: ``python winner.py DATA OUT.png RUN …``, with a folder of pictures to show.

Left, what random patches and the one mask for the whole set leave of a few pictures. Right, the accuracy of each run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import maskbench
import matplotlib.pyplot as plt
import numpy as np
import torch
from gains import BASELINE, adjustment, outcomes
from maskbench import Owner
from maskbench.data.load import load, resolve
from maskbench.data.options import DataOptions
from maskbench.metrics.intervals import Interval, interval, proportion
from torch import Tensor

WINNER = "template:shape=window,weight=1,ratio=0.75"
RANDOM = "random:ratio=0.75"
SHOWN, FITTED = 6, 2000
ROWS = ("raw", "random patches", "winner")
COLOURS = {"raw": "#9ca3af", "random": "#d55e00", "random, same adjustment": "#e69f00", "winner": "#0072b2"}


def pictures(source: str) -> Tensor:
    """Raw pictures, and what two methods leave of them: (methods, pictures, C, H, W) in [0, 1]."""
    found = load(resolve(DataOptions(source=source, size=32, limit=FITTED)))
    images, labels = found.images.float() / 255, found.labels[found.target]
    party = Owner(images, labels, int(labels.max()) + 1, None, 0, {}, 0, torch.device("cpu"))
    rows = [images[:SHOWN]]
    for spec in (RANDOM, WINNER):
        method = maskbench.method(spec)
        method = method.with_state(method.fit(party))
        rows.append(method.release(images[:SHOWN], seed=0, numbers=torch.arange(SHOWN)).images)
    return torch.stack(rows)


def accuracies(run: maskbench.Run) -> dict[str, Interval]:
    """Of raw pictures, random patches with and without the adjustment, and the winner."""
    samples = run.samples
    samples = samples[(samples["attack_kind"] == "none") & (samples["split"] == "owner_test")]
    found = {}
    for (method, params), part in samples.groupby(["method", "params"]):
        adjusted = bool(adjustment(params))
        names = {"raw": "raw", BASELINE: "random, same adjustment" if adjusted else "random", "template": "winner"}
        if method in names:
            found[names[method]] = interval(outcomes(part), proportion)
    return found


def main() -> None:
    """Draw the figure."""
    source, out, *folders = sys.argv[1:]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.1), width_ratios=(1.15, 1), layout="constrained")
    strip = torch.nn.functional.pad(pictures(source), (1, 1, 1, 1), value=1.0)
    height = strip.shape[-2]
    left.imshow(strip.permute(0, 3, 1, 4, 2).reshape(len(ROWS) * height, -1, strip.shape[2]).numpy())
    left.set_yticks((np.arange(len(ROWS)) + 0.5) * height, ROWS)
    left.set_xticks([])
    left.tick_params(length=0)
    left.spines[:].set_visible(False)
    for place, folder in enumerate(map(Path, folders)):
        run = maskbench.load(folder)
        for offset, (name, colour) in enumerate(COLOURS.items()):
            found = accuracies(run)[name]
            value, low, high = (100 * part for part in (found.value, found.low, found.high))
            at = place + 0.2 * (offset - 1.5)
            right.bar(at, value, 0.18, color=colour, label=name if place == 0 else None)
            right.errorbar(at, value, [[value - low], [high - value]], color="0.2", capsize=2, linewidth=1)
    names = [maskbench.load(folder).provenance for folder in map(Path, folders)]
    right.set_xticks(range(len(folders)), [f"{each['data']['name']}\n{each['data']['target']}" for each in names])
    right.set_ylabel("accuracy on test images, %")
    right.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    right.set_ylim(0, 100)
    figure.savefig(out, dpi=130)


if __name__ == "__main__":
    main()
