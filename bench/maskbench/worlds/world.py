"""A world as data sources and stages see it: labels and pictures to draw, and the distribution they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from maskbench.worlds import finite, gaussian_linear, gaussian_shift, gaussian_sign, persons, texture
from maskbench.worlds.distribution import Distribution

FAMILIES: Mapping[str, Callable[[int, np.random.Generator], Distribution]] = MappingProxyType(
    {
        "gaussian-linear": gaussian_linear.build,
        "gaussian-sign": gaussian_sign.build,
        "gaussian-shift": gaussian_shift.build,
        "texture": texture.build,
        "finite": finite.build,
        "persons": persons.build,
    }
)

_STRUCTURE, _LABELS, _PICTURES, _PERSONS = range(4)  # streams of random numbers


@dataclass(frozen=True)
class World:
    """One world: its family, the side of its pictures in pixels, and the seed of its patterns and pictures."""

    family: str
    side: int
    seed: int

    @property
    def mixture(self) -> Distribution:
        """What pictures come from."""
        return _mixture(self)

    def labels(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sensitive and task labels of ``count`` pictures, in random order.

        Each pair has its share of the prior, to within one picture, or one person: what is counted on pictures of the
        world is then its prior, and no attacker who counts can know more of it than the optimum does.
        """
        prior = self.mixture.prior
        order = self._order(count)
        if order is None:
            pairs = self._dealt(prior.ravel(), count)
            return pairs // prior.shape[1], pairs % prior.shape[1]
        of_person = self._dealt(prior.sum(1), -(-count // persons.PICTURES))
        return of_person[order // persons.PICTURES], order % prior.shape[1]

    def persons(self, count: int) -> NDArray[np.int64] | None:
        """Who is on each of ``count`` pictures: int64 (count,); None where no two pictures are of one person."""
        order = self._order(count)
        return None if order is None else order // persons.PICTURES

    def pictures(self, count: int) -> NDArray[np.uint8]:
        """Pictures of ``labels``: uint8 (count, side, side)."""
        drawn = self.mixture.draw(*self.labels(count), self._generator(_PICTURES), self.persons(count))
        return drawn.reshape(count, self.side, self.side)

    def _order(self, count: int) -> NDArray[np.int64] | None:
        """Pictures of persons, person by person, in random order."""
        return self._generator(_PERSONS).permutation(count) if self.mixture.of_persons else None

    def _dealt(self, prior: NDArray[np.float64], count: int) -> NDArray[np.int64]:
        """So many labels in random order, each as often as the prior says, to within one."""
        shares = prior * count
        counts = np.floor(shares).astype(np.int64)
        # Largest remainders; the stable sort breaks ties by the order of the labels.
        counts[np.argsort(counts - shares, kind="stable")[: count - counts.sum()]] += 1
        dealt = np.repeat(np.arange(len(prior)), counts)
        self._generator(_LABELS).shuffle(dealt)
        return dealt

    def _generator(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream])


@lru_cache(maxsize=8)
def _mixture(world: World) -> Distribution:
    return FAMILIES[world.family](world.side, np.random.default_rng([world.seed, _STRUCTURE]))
