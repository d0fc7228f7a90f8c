"""The strongest attack: realizable (chosen without the owner's pictures) and, as a bound, by an oracle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskbench.metrics.catalogue import FAMILIES
from maskbench.metrics.metric import Columns
from maskbench.results.schema import SCORED_SPLITS

FAILED = "an attack failed, so the strongest attack is not known"
"""The attack that failed could have been the strongest one, so what is left does not stand for it."""

NONE_RAN = "none of the attacks could run here"


@dataclass(frozen=True, eq=False)
class Validated:
    """How an attack did on validation pictures, where the attacker can look.

    Attributes:
        scores: float64 (V,): the hole SSIM of restorations, bits of information of inferences; NaN where a picture has
            none.
        gains: float64 (V,): of inferences, whether the attack is right minus whether the prior is. Its mean is the
            advantage, up to a factor that all attacks share. None for restorations, and for runs that kept none.
    """

    scores: NDArray[np.float64]
    gains: NDArray[np.float64] | None = None


def chosen(found: Mapping[str, Validated]) -> str:
    """Name the attack that an attacker chooses, by what attacks are judged by: the hole SSIM, or the advantage.

    Hits are few bits of evidence: of inferences whose advantage is within one standard error of the best, in pairs on
    the same pictures, the one that tells most bits is taken (the rule of Breiman, Friedman, Olshen and Stone,
    "Classification and Regression Trees", 1984, section 3.4.3).
    """

    def informed(name: str) -> float:
        return float(np.nanmean(found[name].scores))

    gains = {name: each.gains for name, each in found.items() if each.gains is not None}
    if len(gains) < len(found):
        return max(found, key=informed)
    best = max(gains, key=lambda name: (float(gains[name].mean()), informed(name)))
    return max((name for name in gains if _as_good(gains[name], gains[best])), key=informed)


def _as_good(gains: NDArray[np.float64], best: NDArray[np.float64]) -> bool:
    behind = best - gains
    error = behind.std(ddof=1) / np.sqrt(len(behind)) if len(behind) > 1 else 0.0
    return bool(behind.mean() <= error)


@dataclass(frozen=True)
class Attacked:
    """What one attack got under one seed.

    Attributes:
        columns: split → outcome → (images,).
        validated: split → how it did where the attacker could look, by which attacks are chosen for the split.
    """

    columns: Mapping[str, Columns]
    validated: Mapping[str, Validated]


@dataclass(frozen=True)
class Part:
    """What one seed adds to a row: split → outcome → (images,); ``chosen`` names the attack, where one was chosen."""

    seed: int
    columns: Mapping[str, Columns]
    chosen: str = ""


@dataclass(frozen=True)
class Ensemble:
    """The attacks of one kind on one method, for one inferred label and with all of the attacker's pictures.

    Attributes:
        statuses: attack → seed → ok, failed or unavailable.
        outcomes: attack → seed → what it got, where it ran.
    """

    statuses: Mapping[str, Mapping[int, str]]
    outcomes: Mapping[str, Mapping[int, Attacked]]

    @property
    def attacks(self) -> set[str]:
        """All attacks, whether they ran or not."""
        return set(self.statuses)

    @property
    def ran(self) -> set[str]:
        """The attacks that ran under any seed."""
        return {attack for attack, found in self.outcomes.items() if found}

    @property
    def seeds(self) -> list[int]:
        """The seeds of any attack."""
        return sorted({seed for found in self.statuses.values() for seed in found})

    @property
    def failed(self) -> bool:
        """Whether any attack failed under any seed."""
        return any("failed" in found.values() for found in self.statuses.values())

    @property
    def known(self) -> bool:
        """Whether no attack failed, and at least one ran, under every seed."""
        return bool(self.seeds) and not self.failed and all(self._of(seed) for seed in self.seeds)

    def like(self, attacks: Collection[str]) -> Ensemble:
        """The same with no other attacks than these."""
        return Ensemble(
            {name: found for name, found in self.statuses.items() if name in attacks},
            {name: found for name, found in self.outcomes.items() if name in attacks},
        )

    def realizable(self) -> list[Part]:
        """The attack that does best where the attacker can look, for each seed and split: a part each."""
        parts = []
        for seed in self.seeds:
            for split in SCORED_SPLITS:
                scored = {name: got for name, got in self._of(seed).items() if split in got.columns}
                if scored:
                    best = chosen({name: got.validated[split] for name, got in scored.items()})
                    parts.append(Part(seed, {split: scored[best].columns[split]}, best))
        return parts

    def oracle(self) -> list[Part]:
        """The best of all attacks for each image, seed and outcome. No attacker can choose so: it is a bound.

        A maximum over attacks that guess is above chance, all the more of them there are; so it says something only
        against the same attacks on the fully masked control.
        """
        parts = []
        for seed in self.seeds:
            found = list(self._of(seed).values())
            splits = [split for split in SCORED_SPLITS if all(split in got.columns for got in found)]
            parts.append(Part(seed, {split: best_of([got.columns[split] for got in found]) for split in splits}))
        return parts

    def _of(self, seed: int) -> dict[str, Attacked]:
        return {name: found[seed] for name, found in self.outcomes.items() if seed in found}


def best_of(tables: Sequence[Columns]) -> Columns:
    """What an oracle makes of several attacks on the same images: each image's best outcome, column by column.

    Of restorations and matches, every metric of theirs, the better way round. Of inferences, whether any is right; the
    truth and the prior are the same for all of them. Their information is left out: the best of several distributions
    is none, so it would bound nothing.
    """
    common = [name for name in tables[0] if all(name in table for table in tables)]
    if "truth" in common:
        return {
            "number": tables[0]["number"],
            "truth": tables[0]["truth"],
            "correct": _most([table["correct"] for table in tables]),
            "prior_correct": tables[0]["prior_correct"],
        }
    best: dict[str, NDArray[np.generic]] = {"number": tables[0]["number"]}
    for metric in (*FAMILIES["restoration"], *FAMILIES["matching"]):
        if metric.name in common:
            columns = [table[metric.name] for table in tables]
            # What the owner wants higher, the attacker wants lower.
            best[metric.name] = _most(columns) if metric.direction == "lower" else np.fmin.reduce(columns)
    return best


def _most(columns: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """The largest for each image; NaN only where all are: fmax, not max."""
    return np.fmax.reduce(list(columns))
