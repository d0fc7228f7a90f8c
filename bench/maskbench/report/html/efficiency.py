"""How close attacks come to the best possible one, where that is known."""

from __future__ import annotations

import pandas as pd

from maskbench.plugins.reserved import BESIDE, OPTIMUM
from maskbench.report.hidden import by_method
from maskbench.report.html.shown import ShownTable
from maskbench.report.text import percent, plain
from maskbench.results.reading import Value, grouped, headline, read
from maskbench.runfolder.folder import RunFolder


def efficiencies(run: RunFolder) -> ShownTable:
    """Of each attack in a calibration world: its share of what the best possible attack learns."""
    rows = headline(run.cells)
    rows = rows[rows["attack_kind"] == "inference"]
    built = []
    for named, mine in by_method(run.cells, rows):
        for (attack,), part in grouped(mine, "attack"):
            found = read(part, "efficiency")
            if found is None or attack in BESIDE:
                continue
            optimum = read(mine[mine["attack"] == OPTIMUM], "bits")
            built.append(
                {
                    **named,
                    "attack": f"{attack} ({found.attack})" if found.attack else attack,
                    "efficiency %": percent(plain(found)),
                    "its bits": _bits(read(part, "bits")),
                    "bits of the best possible attack": _bits(optimum),
                }
            )
    return ShownTable.of(
        "efficiency",
        "These pictures come from a world whose best possible attack is known. Efficiency is the share of its bits "
        "that an attack gets. Where it is low, the attacks of this run understate the leakage.",
        pd.DataFrame(built),
    )


def _bits(value: Value | None) -> str:
    return "–" if value is None else f"{value.value:.3f}"
