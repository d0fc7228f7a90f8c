"""What a release shows of pictures: found out by running the method as its owner fitted it, not declared.

Two kinds of release have a known optimum. Masks must not look at the picture, and holes must show nothing of what they
hide: the method is run again with the same random numbers on exchanged pictures. Releases without masks must be one
linear map of the picture: the method is run on a flat picture and on one for each pixel that is a little brighter.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from maskbench.errors import ContractViolation, Unavailable
from maskbench.plugins.given import Given, NoisyMap
from maskbench.plugins.method import Method
from maskbench.randomness import Randomness, derive
from maskbench.release import Release, to_bytes
from maskbench.stages.party_release import Fit
from maskbench.worlds.gaussian import Kept, Projected, Seen
from maskbench.worlds.laplace import Noisy
from maskbench.worlds.mixture import LEVELS, ROUNDING

_GREY, _BUMP = 128 / LEVELS, 64 / LEVELS
_SAME_ROW = 1e-5  # of weights that sum to about 1: float32 leaves 2e-7
_UNLIKELY = 6.0  # standard errors
_EXACT = 0.01 / LEVELS  # a value so close to the map was not rounded


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures of one of the owner's splits, and what was released of them.

    Attributes:
        method: as its owner fitted it.
        raw: float32 (N, 1, H, W).
        release: of these pictures.
        labels: int64 (N,), where the owner released the split with its task labels; else None.
        numbers: int64 (N,), of the pictures in the data.
        seed: of the run.
    """

    method: Method
    raw: Tensor
    release: Release
    labels: Tensor | None
    numbers: Tensor
    seed: int

    @property
    def raw_bytes(self) -> Tensor:
        """Uint8 (N, 1, H, W)."""
        return to_bytes(self.raw)

    @property
    def release_seed(self) -> int:
        """What the owner's release was made with."""
        return derive(self.seed, "release", Fit("owner").name)

    def seen(self) -> Seen:
        """What the release shows.

        Raises:
            Unavailable: it is neither of the two kinds.
        """
        if self.method.withholds_masks():
            raise Unavailable("the optimum is known for released masks alone, and these are withheld")
        if self.release.masks is not None:
            return self._kept(self.release.masks)
        declared = self.method.noisy_map(*self.raw.shape[2:])
        return self._projected() if declared is None else self._noisy(declared)

    def _noisy(self, declared: NoisyMap) -> Noisy:
        """As the method declares it.

        Raises:
            ContractViolation: the release is not what was declared: pixels differ that show one value, or the noise is
                larger or smaller than any draw of it.
        """
        who = f"method '{self.method.name}'"
        shown = self.release.images.double().flatten(1)
        values = torch.empty(len(shown), len(declared.scale), dtype=torch.float64)
        values[:, declared.shown] = shown
        if not torch.equal(values[:, declared.shown], shown):
            raise ContractViolation(f"{who} declares pixels that show one value, and they differ: mend its noisy_map.")
        means = self.raw.double().flatten(1) @ declared.matrix.T
        # |noise| is exponential with mean 1, in units of its scale. A value that leaves [0, 1] is clipped: of those
        # in the middle half, what does not reach the nearer end is seen whole.
        reach = (torch.minimum(means, 1 - means) - 1 / LEVELS) / declared.scale
        noise = ((values - means).abs() / declared.scale).minimum(reach)
        expected = 1 - (-reach).exp()
        surplus = (noise - expected).mean() / (noise.std() / noise.numel() ** 0.5)
        if not bool(surplus.abs() < _UNLIKELY):
            raise ContractViolation(
                f"{who} declares Laplace noise, and its release differs by {float(surplus):.1f} standard errors from "
                "such noise: mend its noisy_map."
            )
        return Noisy(values, declared.matrix, declared.scale)

    def _kept(self, masks: Tensor) -> Kept:
        exchanged = self.raw.roll(1, 0)
        if not bool((masks == masks[:1]).all()) and not torch.equal(self._again(exchanged).kept, masks):
            raise Unavailable("the optimum is not known: the masks depend on the picture")
        hidden = self.release.images[masks.expand_as(self.release.images) == 0]
        if hidden.numel() and bool((hidden != hidden[0]).any()):
            again = self._again(torch.where(masks == 1, self.raw, exchanged))
            if not torch.equal(again.images, self.release.images):
                raise Unavailable("the optimum is not known: the holes show something of what they hide")
        return Kept(self.release.images.double().flatten(1), masks.flatten(1) == 1)

    def _again(self, pictures: Tensor) -> Release:
        """Release other pictures with the random numbers of these."""
        if self.method.requests():
            raise Unavailable("the optimum is not known: the release follows attributions, which depend on the picture")
        return self.method.release(pictures, seed=self.release_seed, numbers=self.numbers, labels=self.labels)

    def _projected(self) -> Projected:
        matrix, offset = self._probed()
        shown = self.release.images.double().flatten(1)
        error = (self.raw.double().flatten(1) @ matrix.T + offset - shown).abs().amax(0)
        if float(error.max()) > 0.5 / LEVELS + _EXACT:
            raise Unavailable("the optimum is not known: the release is not one linear map of every picture")
        exact = (error < _EXACT) & (matrix != 0).any(1)
        rows = _distinct(torch.cat([matrix, offset[:, None]], dim=1))
        noise = torch.where(exact, 0.0, ROUNDING).double()
        return Projected(shown[:, rows], matrix[rows], offset[rows], noise[rows])

    def _probed(self) -> tuple[Tensor, Tensor]:
        """The linear map of the method, (D, D), and its offset, (D,): if it has one."""
        if self.method.requests():
            raise Unavailable("the optimum is not known: the release follows attributions, which depend on the picture")
        shape = self.raw.shape[1:]
        pixels = shape.numel()
        pictures = torch.full((pixels + 1, pixels), _GREY)
        pictures[1:] += _BUMP * torch.eye(pixels)
        numbers = torch.zeros(pixels + 1, dtype=torch.int64)
        released = self.method.desensitize(pictures.view(-1, *shape), Given(Randomness(self.seed, numbers)))
        values = released.images.double().flatten(1)
        matrix = ((values[1:] - values[0]) / _BUMP).T
        return matrix, values[0] - matrix.sum(1) * _GREY


def _distinct(rows: Tensor) -> Tensor:
    """The first place of each different row: what shows the same value twice shows it once."""
    _, group = torch.unique((rows / _SAME_ROW).round(), dim=0, return_inverse=True)
    first = torch.full((int(group.max()) + 1,), len(rows))
    return first.scatter_reduce_(0, group, torch.arange(len(rows)), "amin").sort().values
