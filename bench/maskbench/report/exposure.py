"""How exposed single pictures, and groups of them, are to the strongest attack of a kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskbench.metrics.intervals import Interval, interval
from maskbench.plugins.reserved import STRONGEST
from maskbench.results.reading import HEADLINE_SPLIT, grouped
from maskbench.runfolder.folder import RunFolder

WORST_OFF = (0.01, 0.05)
"""Shares of the images whose exposure is told apart from the mean, which hides people who are fully exposed."""

OF_ONE_PICTURE: Mapping[str, str] = {
    "inference": "information",
    "restoration": "ssim_hole",
    "matching": "rank_1",
    "linkage": "rank_1",
    "person-linkage": "rank_1",
}
"""Kind of attack → the column of ``samples`` that says how exposed one picture is."""

_RESAMPLES = 1000
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Group:
    """The pictures of one class: how many, how often the attack was right of them, and what they tell in the mean."""

    name: str
    images: int
    correct: Interval
    information: Interval


def outcomes(run: RunFolder, mine: pd.DataFrame, kind: str, label: str) -> pd.DataFrame:
    """What the strongest attack of a kind got of each image, under each seed, where leakage counts.

    Args:
        mine: the cells of one method.
        kind, label: of the attack.

    Returns:
        Rows of ``samples``; none where the attack did not run, or where the folder has no samples of it.
    """
    split = HEADLINE_SPLIT[label]
    rows = mine[
        (mine["attack"] == STRONGEST) & (mine["attack_kind"] == kind) & (mine["label"] == label)
        & (mine["split"] == split) & mine["seed"].notna() & (mine["aux_share"] == 1)
    ]  # fmt: skip
    first = mine.iloc[0]
    samples = run.samples
    ratio = samples["ratio"].isna() if pd.isna(first["ratio"]) else samples["ratio"] == first["ratio"]
    own = samples[
        (samples["method"] == first["method"]) & (samples["params"] == first["params"]) & ratio
        & (samples["attack_kind"] == kind) & (samples["label"] == label) & (samples["split"] == split)
        & (samples["aux_share"] == 1)
    ]  # fmt: skip
    parts = [
        own[(own["seed"] == seed) & (own["attack"] == chosen)] for (seed, chosen), _ in grouped(rows, "seed", "chosen")
    ]
    return pd.concat(parts) if parts else own.iloc[:0]


def per_image(found: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """The mean over seeds of a column, for each image: float64 (images,); images without a value are left out."""
    if column not in found or found.empty:
        return np.empty(0)
    return found.groupby("number")[column].mean().dropna().to_numpy(np.float64)


def worst_off(values: NDArray[np.float64], share: float) -> Interval:
    """The mean of the most exposed images, with its 95 % bootstrap interval over images.

    Args:
        values: float64 (images,), the exposure of each; higher is worse for who is shown.
        share: of the images, at least one of them.
    """
    n = len(values)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0, 1)
    count = max(1, math.ceil(share * n))
    drawn = np.random.default_rng(0).integers(n, size=(_RESAMPLES, n))
    resampled = np.partition(values[drawn], n - count, axis=1)[:, n - count :].mean(axis=1)
    low, high = np.quantile(resampled, ((1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2))
    return Interval(float(np.sort(values)[n - count :].mean()), float(low), float(high), count, 1)


def groups(found: pd.DataFrame, classes: list[str]) -> list[Group]:
    """The classes of the inferred label, by what the strongest inference got of their pictures.

    Args:
        found: rows of ``outcomes``.
        classes: names of the label's classes.
    """
    parts = []
    for code, name in enumerate(classes):
        mine = found[found["truth"] == code] if "truth" in found else found.iloc[:0]
        if mine.empty:
            continue
        correct, information = (per_image(mine, column)[None, :, None] for column in ("correct", "information"))
        parts.append(Group(name, correct.shape[1], interval(correct), interval(information)))
    return parts


def measured_epsilon(found: pd.DataFrame) -> float | None:
    """A lower bound of ε that the answers of an inference attack prove, with 95 % confidence.

    Under ε-differential privacy of whole pictures, no answer is more than e^ε times as likely for pictures of one class
    as for those of the others. So the ratio of the two rates, each at the cautious end of its exact interval
    (Clopper-Pearson, Bonferroni over classes and both directions), bounds ε from below.

    Args:
        found: rows of ``outcomes``; the first seed counts, since seeds share their images.

    Returns:
        The bound, 0 where nothing is proved; None without answers.
    """
    if found.empty or not {"truth", "guess"} <= set(found):
        return None
    from scipy.stats import beta  # half a second to import, and rarely used

    first = found[found["seed"] == found["seed"].min()].dropna(subset=["truth", "guess"])
    truth, guess = first["truth"].to_numpy(), first["guess"].to_numpy()
    classes = np.unique(truth)
    tail = (1 - _CONFIDENCE) / (4 * max(1, len(classes)))
    bounds = [0.0]
    for code in classes:
        of_class, said = truth == code, guess == code
        for answer in (said, ~said):
            hit, n = int((answer & of_class).sum()), int(of_class.sum())
            false, rest = int((answer & ~of_class).sum()), int((~of_class).sum())
            if hit and rest:
                likely = float(beta.ppf(tail, hit, n - hit + 1))
                unlikely = float(beta.ppf(1 - tail, false + 1, rest - false)) if false < rest else 1.0
                bounds.append(math.log(likely / unlikely))
    return max(bounds)
