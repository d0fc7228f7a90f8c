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


@dataclass(frozen=True)
class Attacked:
    """What one attack got under one seed.

    Attributes:
        columns: split → outcome → (images,).
        scores: split → how well it did where the attacker could look, by which attacks are chosen for the split.
    """

    columns: Mapping[str, Columns]
    scores: Mapping[str, float]


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
                    best = max(scored, key=lambda name: scored[name].scores[split])
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
