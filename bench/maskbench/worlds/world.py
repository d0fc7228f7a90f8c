"""A world as data sources and stages see it: labels and pictures to draw, and the distribution they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from maskbench.worlds import finite, gaussian_linear, gaussian_shift, gaussian_sign, texture
from maskbench.worlds.distribution import Distribution

FAMILIES: Mapping[str, Callable[[int, np.random.Generator], Distribution]] = MappingProxyType(
    {
        "gaussian-linear": gaussian_linear.build,
        "gaussian-sign": gaussian_sign.build,
        "gaussian-shift": gaussian_shift.build,
        "texture": texture.build,
        "finite": finite.build,
    }
)

_STRUCTURE, _LABELS, _PICTURES = range(3)  # streams of random numbers


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

        Each pair has its share of the prior, to within one picture: what is counted on pictures of the world is then
        its prior, and no attacker who counts can know more of it than the optimum does.
        """
        prior = self.mixture.prior
        shares = prior.ravel() * count
        counts = np.floor(shares).astype(np.int64)
        # Largest remainders; the stable sort breaks ties by the order of the pairs.
        counts[np.argsort(counts - shares, kind="stable")[: count - counts.sum()]] += 1
        pairs = np.repeat(np.arange(prior.size), counts)
        self._generator(_LABELS).shuffle(pairs)
        return pairs // prior.shape[1], pairs % prior.shape[1]

    def pictures(self, count: int) -> NDArray[np.uint8]:
        """Pictures of ``labels``: uint8 (count, side, side)."""
        drawn = self.mixture.draw(*self.labels(count), self._generator(_PICTURES))
        return drawn.reshape(count, self.side, self.side)

    def _generator(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream])


@lru_cache(maxsize=8)
def _mixture(world: World) -> Distribution:
    return FAMILIES[world.family](world.side, np.random.default_rng([world.seed, _STRUCTURE]))
