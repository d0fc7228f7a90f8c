"""The worst case over attacks: realizable (chosen without the owner's pictures) and, as a bound, by an oracle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskbench.metrics.catalogue import CATALOGUE
from maskbench.results.estimates import Outcomes
from maskbench.results.result import Result
from maskbench.results.rows import Member, member
from maskbench.results.schema import SPLITS

FAILED = "an attack failed, so the worst case is not known"
"""The attack that failed could have been the worst one, so what is left is not the worst case."""

NONE_RAN = "none of the attacks could run here"


@dataclass(frozen=True)
class Ensemble:
    """The attacks of one kind on one method, for one inferred label and with all of the attacker's pictures.

    Attributes:
        by_seed: for each seed the result of each attack, by its label.
    """

    by_seed: Mapping[int, Mapping[str, Result]]

    @property
    def known(self) -> bool:
        """Whether no attack failed, and at least one ran, under every seed."""
        return all(self._usable(seed) and not self._failed(seed) for seed in self.by_seed)

    @property
    def failed(self) -> bool:
        """Whether any attack failed under any seed."""
        return any(map(self._failed, self.by_seed))

    @property
    def attacks(self) -> set[str]:
        """The attacks that ran under any seed."""
        return {name for seed in self.by_seed for name in self._usable(seed)}

    def like(self, attacks: Collection[str]) -> Ensemble:
        """The same with no other attacks than these."""
        return Ensemble(
            {
                seed: {name: result for name, result in found.items() if name in attacks}
                for seed, found in self.by_seed.items()
            }
        )

    def realizable(self) -> list[Member]:
        """The attack that does best on attacker-validation, for each seed and split: a member each."""
        members = []
        for seed in self.by_seed:
            usable = self._usable(seed)
            for split in SPLITS:
                scored = {name: result for name, result in usable.items() if result.columns(split)}
                if scored:
                    best = max(scored, key=lambda name: scored[name].validation(split))
                    members.append(member(scored[best], chosen=best, splits=(split,)))
        return members

    def oracle(self) -> list[Member]:
        """The best of all attacks for each image, seed and outcome. No attacker can choose so: it is a bound.

        A maximum over attacks that guess is above chance, all the more of them there are; so it says something only
        against the same attacks on the fully masked control.
        """
        members = []
        for seed in self.by_seed:
            found = list(self._usable(seed).values())
            columns = {split: [result.columns(split) for result in found] for split in SPLITS}
            members.append(Member(seed, {split: best_of(tables) for split, tables in columns.items() if all(tables)}))
        return members

    def _usable(self, seed: int) -> dict[str, Result]:
        return {name: result for name, result in self.by_seed[seed].items() if result.status == "ok"}

    def _failed(self, seed: int) -> bool:
        return any(result.status == "failed" for result in self.by_seed[seed].values())


def best_of(tables: Sequence[Outcomes]) -> Outcomes:
    """What an oracle makes of several attacks on the same images: each image's best outcome, column by column.

    Of restorations, every metric of theirs, the better way round. Of inferences, whether any is right; the truth and
    the prior are the same for all of them. Their information is left out: the best of several distributions is none,
    so it would bound nothing.
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
    for name in common:
        if name in CATALOGUE:
            columns = [table[name] for table in tables]
            # What the owner wants higher, the attacker wants lower.
            best[name] = _most(columns) if CATALOGUE[name].direction == "lower" else np.fmin.reduce(columns)
    return best


def _most(columns: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """The largest for each image; NaN only where all are: fmax, not max."""
    return np.fmax.reduce(list(columns))
