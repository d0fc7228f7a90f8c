"""Mixing an image with others of the owner's."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Given, Method, Owner, Release, to_bytes, to_float
from pydantic import Field
from torch import Tensor

_LARGEST = 0.99  # weight of an image in mixup


class Mixing(Method):
    """Base of the methods below: a weighted sum of the image and k - 1 images from the owner's pool.

    Our reading, so that an image can be treated on its own: partners come from ``pool`` training images drawn in
    ``fit``, not from the batch; they are drawn with replacement. Where an image draws itself, the next of the pool
    takes its place, or else it could leave raw. The image's own weight is the largest, and it keeps its label; labels
    are not mixed.
    """

    k: int = Field(4, ge=2, description="how many images are mixed, with the image itself")
    pool: int = Field(1000, ge=1, description="how many of the owner's training images partners are drawn from")

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(owner.seed)
        drawn = torch.randperm(len(owner.images), generator=generator)[: self.pool]
        return {"pool": to_bytes(owner.images[drawn])}

    def mixed(self, images: Tensor, given: Given, weights: Tensor) -> Tensor:
        """Mix a batch: float32 N C H W with ``weights`` N × k, the image's own first."""
        pool = self.state["pool"]
        partners = given.rng.integers(len(pool), self.k - 1)
        total = weights[:, 0].view(-1, 1, 1, 1) * images
        own = to_bytes(images)
        for place in range(1, self.k):  # one partner at a time: N images of memory instead of k · N
            drawn = partners[:, place - 1]
            itself = (pool[drawn] == own).flatten(1).all(dim=1)
            drawn = torch.where(itself, (drawn + 1) % len(pool), drawn)
            total = total + weights[:, place].view(-1, 1, 1, 1) * to_float(pool[drawn])
        return total.clamp(0, 1)


class Mixup(Mixing):
    """Mix the image with others of the owner's training images; its own weight is the largest.

    The weights are uniform on the simplex (for k = 2 the paper's Beta(1, 1)), sorted, and none is above 0.99: what an
    image with more is mixed with would round away at eight bits.
    """

    name: ClassVar[str] = "mixup"
    source: ClassVar[str] = "our reading of 1710.09412, section 2"

    k: int = Field(2, ge=2, description="how many images are mixed, with the image itself")

    def desensitize(self, images: Tensor, given: Given) -> Release:
        weights = sorted_weights(given.rng.laplace(self.k).abs(), upper=_LARGEST)
        return Release(self.mixed(images, given, weights))


class InstaHide(Mixing):
    """Mix the image with others, then flip the sign of each value at random.

    Weights as in the authors' code: magnitudes of normal numbers, normalised, none above ``upper`` (ours are cut to
    it where the code draws again). The sum is mapped to [-1, 1], multiplied by a random sign for each pixel and
    channel, and mapped back to [0, 1]: an attacker may undo the flip up to the sign by taking the distance from
    mid-grey, as 2011.05315 does.
    """

    name: ClassVar[str] = "instahide"
    source: ClassVar[str] = "our reading of 2010.02772, section 3 (inside-dataset); broken by 2011.05315"

    upper: float = Field(0.65, ge=0.5, le=1, description="the largest weight a single image may have")

    def desensitize(self, images: Tensor, given: Given) -> Release:
        weights = sorted_weights(given.rng.normal(self.k).abs(), upper=self.upper)
        mixed = self.mixed(images, given, weights)
        flipped = given.rng.integers(2, *images.shape[1:]) == 1
        # On [0, 1] the sign flip of 2 x - 1 is 1 - x.
        return Release(torch.where(flipped, 1 - mixed, mixed))


def sorted_weights(magnitudes: Tensor, upper: float) -> Tensor:
    """Normalise positive magnitudes to weights, the largest first and none above ``upper``.

    Args:
        magnitudes: N × k, positive.
        upper: at least 1/2, so that cutting the largest cannot lift another above it.

    Returns:
        float32 N × k, rows that sum to 1; what is cut from the largest is shared among the others in proportion.
    """
    ordered = magnitudes.to(torch.float64).sort(dim=1, descending=True).values
    weights = ordered / ordered.sum(dim=1, keepdim=True)
    first = weights[:, :1].clamp(max=upper)
    rest = weights[:, 1:] / weights[:, 1:].sum(dim=1, keepdim=True) * (1 - first)
    return torch.cat([first, rest], dim=1).to(torch.float32)
