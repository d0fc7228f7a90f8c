"""From differences to verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from maskbench.gate.power import deciding, smallest_drop
from maskbench.gate.rows import Row, weights
from maskbench.gate.testing import CONFIDENCE, FALSE_ALARMS, Errors, errors, holm, tail
from maskbench.gate.variation import Variances, steadied

Verdict = Literal[
    "regressed", "improved", "unchanged", "inconclusive", "stronger attack", "missing", "failed", "not run", "new"
]

NOISE_UNKNOWN = (
    "one seed in each run: how much training differs from seed to seed is not known; two seeds on one side tell"
)
SMALL = "worse, but by less than the tolerance"


@dataclass(frozen=True)
class Judged:
    """A row with its verdict.

    Attributes:
        change: current minus baseline; ``low`` and ``high`` bound it with 95 % confidence, for this row alone.
        chance: of a loss of this size where nothing changed, adjusted for all rows; NaN where the row is not tested.
        smallest: the smallest drop that this pair of runs catches 4 times in 5; NaN where that is not known, or where
            the metric cannot get so much worse.
        note: what else there is to say: what would decide, or what to suspect.
    """

    row: Row
    verdict: Verdict
    change: float
    low: float
    high: float
    chance: float
    smallest: float
    note: str = ""


def judged(found: Sequence[Row]) -> list[Judged]:
    """Test all rows as one family, and judge each."""
    open_rows = [row for row in found if not row.proved]
    results = iter(_tested(open_rows))
    return [_proved(row) if row.proved else next(results) for row in found]


def _proved(row: Row) -> Judged:
    return Judged(row, "unchanged", 0.0, 0.0, 0.0, float("nan"), float("nan"), f"proved: {row.proved}")


def _tested(found: Sequence[Row]) -> list[Judged]:
    if not found:
        return []
    noise = _noise(found)
    change = _column(row.found.current - row.found.baseline for row in found)
    losses = change * _column(row.sign for row in found)
    tolerances = _column(row.tolerance for row in found)
    share = weights(found)
    worse, better = (holm(tail(side, noise), share) for side in (losses, -losses))
    half = noise.quantile((1 - CONFIDENCE) / 2) * noise.values
    tails = FALSE_ALARMS * share / share.sum()
    critical = noise.quantile(tails)
    slopes = _column(abs(row.found.slope) for row in found)
    counted, rooms = _column(row.found.counted for row in found), _column(map(_room, found))
    drops = smallest_drop(noise, tails, tolerances, slopes, counted, rooms)
    result = []
    for place, row in enumerate(found):
        inside = abs(change[place]) + half[place] < tolerances[place]
        verdict, note = _verdict(row, losses[place], worse[place], better[place], bool(inside))
        if verdict == "inconclusive" and not note:
            note = _open(row, change[place], noise, place, critical[place])
        low, high = change[place] - half[place], change[place] + half[place]
        known = bool(noise.known[place])
        chance = worse[place] if known else float("nan")
        result.append(Judged(row, verdict, change[place], low, high, chance, drops[place], note))
    return result


def _verdict(row: Row, loss: float, worse: float, better: float, inside: bool) -> tuple[Verdict, str]:
    if worse <= FALSE_ALARMS and loss > row.tolerance:
        return (
            "regressed",
            "attack broken? It gets less from releases that are the same" if row.watched == "attack" else "",
        )
    if better <= FALSE_ALARMS and -loss > row.tolerance:
        if row.watched == "attack":
            return "stronger attack", "the method's releases are the same: update the baseline"
        return "improved", ""
    if inside:
        return "unchanged", ""
    return "inconclusive", SMALL if worse <= FALSE_ALARMS else ""


def _open(row: Row, change: float, noise: Errors, place: int, critical: float) -> str:
    if not noise.known[place]:
        return NOISE_UNKNOWN
    found = row.found
    variance = (noise.values[place] ** 2 - found.image_variance) / found.shares
    needed = deciding(
        change, row.tolerance, critical, variance, len(found.baseline_seeds), found.image_variance, found.images
    )
    return needed if needed.startswith("the estimate") else f"would decide: {needed}"


def _noise(found: Sequence[Row]) -> Errors:
    """Standard errors; rows of one metric steady each other's variance between seeds."""
    own = _column(row.found.seed_variance for row in found)
    degrees = _column(row.found.degrees for row in found)
    values, freedom = own.copy(), degrees.copy()
    groups = np.array([f"{row.key.attack_kind} {row.metric.name} {row.whole}" for row in found])
    for group in np.unique(groups):
        places = np.flatnonzero(groups == group)
        part = steadied(own[places], degrees[places])
        values[places], freedom[places] = part.values, part.degrees
    shares = _column(row.found.shares for row in found)
    images = _column(row.found.image_variance for row in found)
    return errors(Variances(values, freedom), shares, images, _column(row.found.counted for row in found))


def _room(row: Row) -> float:
    """By how much the row can get worse; only shares have an end."""
    if not row.metric.unit.startswith("share"):
        return float("inf")
    return 1 - row.found.baseline if row.sign > 0 else row.found.baseline


def _column(values: object) -> NDArray[np.float64]:
    return np.array(list(values), dtype=np.float64)  # type: ignore[call-overload]
