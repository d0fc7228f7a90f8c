"""The three risks of European guidance, on the average and for those who are worst off; and the masks' shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from maskbench.plugins.reserved import OPTIMUM, STRONGEST
from maskbench.report.hidden import hidden_shares
from maskbench.report.html.shown import ShownTable
from maskbench.report.text import percent, plain
from maskbench.results.reading import HEADLINE_SPLIT, Value, grouped, headline, methods, pooled, read
from maskbench.results.schema import DERIVED, METHOD, PROBABILITIES
from maskbench.runfolder.folder import RunFolder

CERTAIN = 0.9
"""Probability from which an attack counts as certain of a picture."""

_FINDING = {
    "rank1": "raw picture found first, %",
    "rank_1": "raw picture found first, %",
    "rank5": "among the first five, %",
    "tar": "accepted at 1 % false acceptance, %",
    "matching_tpr": "matched at 1 % false matches, %",
    "matching_auc": "AUC of matching, %",
}
"""Metric of an attack that finds pictures or persons → what to call it."""


def singled_out(run: RunFolder) -> ShownTable:
    """Singling out and linkability: what attacks that find the raw picture, or another release of it, get."""
    hidden = hidden_shares(run.cells)
    rows = pooled(run.cells)
    rows = rows[rows["metric"].isin(_FINDING) & ~rows["attack"].isin((*DERIVED, OPTIMUM))]
    rows = rows[rows["split"] == HEADLINE_SPLIT["sensitive"]]
    built = []
    for method, ratio, mine in methods(rows):
        for (attack,), part in grouped(mine, "attack"):
            row = {"method": method, "hidden": hidden(method, ratio), "attack": attack}
            found = {
                _FINDING[name]: percent(plain(read(part, name))) for name in _FINDING if (part["metric"] == name).any()
            }
            built.append(row | found)
    return ShownTable.of(
        "singling-out",
        "Each attack looks for the raw picture behind a release, or for another release of the same picture or person. "
        "Of owner-train, which was outsourced. What it gets on full-mask is chance.",
        pd.DataFrame(built),
    )


def inferred(run: RunFolder) -> ShownTable:
    """Inference of the label by the strongest attack: the average, and the pictures whose label is all but known."""
    hidden = hidden_shares(run.cells)
    label = run.inferred
    sure = dict(_certain(run))
    built = []
    for method, ratio, mine in methods(run.cells):
        strongest = headline(mine)
        strongest = strongest[(strongest["attack"] == STRONGEST) & (strongest["attack_kind"] == "inference")]
        average = read(strongest, "advantage")
        if average is None:
            continue
        row = {
            "method": method,
            "hidden": hidden(method, ratio),
            "strongest attack": average.attack,
            "average: advantage %": percent(plain(average)),
        }
        exposed = sure.get(_key(mine))
        row[f"worst-off: pictures told with {CERTAIN:.0%} certainty, rightly %"] = (
            "–" if exposed is None else f"{100 * exposed[0]:.1f}"
        )
        row["and wrongly %"] = "–" if exposed is None else f"{100 * exposed[1]:.1f}"
        built.append(row)
    return ShownTable.of(
        "inference-risk",
        f"The strongest inference of the {label} label. Advantage is its accuracy beyond the prior: 0 % is what "
        "guessing without the picture gives, 100 % is always right. The average hides who is fully exposed: the next "
        f"columns count the pictures of which the attack says one class with at least {CERTAIN:.0%} probability.",
        pd.DataFrame(built),
    )


def shapes(run: RunFolder) -> ShownTable:
    """What a classifier gets that sees nothing but the masks, beside recognition and beside the strongest attack."""
    hidden = hidden_shares(run.cells)
    built = []
    for method, ratio, mine in methods(run.cells):
        rows = pooled(mine)
        alone = rows[rows["learns_from"] == "masks"]
        target = read(alone[(alone["label"] == "target") & (alone["split"] == "owner_test")], "accuracy")
        sensitive = read(alone[(alone["label"] == "sensitive") & (alone["split"] == "owner_train")], "advantage")
        if target is None and sensitive is None:
            continue
        strongest = headline(mine)
        strongest = strongest[(strongest["attack"] == STRONGEST) & (strongest["label"] == "sensitive")]
        row = {
            "method": method,
            "hidden": hidden(method, ratio),
            "target label from shape: accuracy %": percent(plain(target)),
            "recognizer of the release: accuracy %": percent(read(rows[rows["attack_kind"] == "none"], "accuracy")),
        }
        if run.inferred == "sensitive":
            row["sensitive label from shape: advantage %"] = percent(plain(sensitive))
            row["strongest attack: advantage %"] = percent(plain(read(strongest, "advantage")))
        built.append(row)
    return ShownTable.of(
        "shape",
        "A mask is made from the picture, so its outline can carry the answer. A classifier that sees the masks and no "
        "pixel tells how much of what a method keeps, and of what it leaks, is outline alone.",
        pd.DataFrame(built),
    )


def efficiencies(run: RunFolder) -> ShownTable:
    """Of each attack in a calibration world: its share of what the best possible attack learns."""
    hidden = hidden_shares(run.cells)
    rows = headline(run.cells)
    rows = rows[rows["attack_kind"] == "inference"]
    built = []
    for method, ratio, mine in methods(rows):
        for (attack,), part in grouped(mine, "attack"):
            found = read(part, "efficiency")
            if found is None or attack == OPTIMUM:
                continue
            optimum = read(mine[mine["attack"] == OPTIMUM], "bits")
            built.append(
                {
                    "method": method,
                    "hidden": hidden(method, ratio),
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


def _key(rows: pd.DataFrame) -> tuple[Any, ...]:
    name, params, ratio = (rows[column].iloc[0] for column in METHOD)
    return name, params, None if pd.isna(ratio) else float(ratio)


def _certain(run: RunFolder) -> Iterator[tuple[tuple[Any, ...], tuple[float, float]]]:
    """Of each method, the share of pictures that the strongest inference tells with certainty: rightly and wrongly."""
    cells, samples, label = run.cells, run.samples, run.inferred
    split = "owner_train" if label == "sensitive" else "owner_test"
    if PROBABILITIES not in samples or samples.empty:
        return
    chosen = cells[(cells["attack"] == STRONGEST) & (cells["attack_kind"] == "inference") & cells["seed"].notna()]
    chosen = chosen[(chosen["metric"] == "advantage") & (chosen["split"] == split) & (chosen["label"] == label)]
    attacks = chosen[[*METHOD, "seed", "chosen"]].rename(columns={"chosen": "attack"})
    theirs = samples[(samples["label"] == label) & (samples["split"] == split) & (samples["aux_share"] == 1)]
    for _, mine in theirs.merge(attacks).groupby(list(METHOD), sort=False, dropna=False):
        known = mine[mine[PROBABILITIES].notna()]
        if known.empty:
            continue
        highest = np.array([np.max(each) for each in known[PROBABILITIES]])
        right = known["correct"].to_numpy(np.float64)
        sure = highest >= CERTAIN
        yield _key(known), (float((sure & (right == 1)).mean()), float((sure & (right == 0)).mean()))
