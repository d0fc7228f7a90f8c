"""Methods that leak by design, as a plug-in file: what each leaks is known."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Given, MaskMethod, Method, Owner, Release
from maskbench.release import to_bytes, to_float
from torch import Tensor

_GREY = 128
_CLASSES = 10


def centroids(owner: Owner) -> Tensor:
    """Mean image of each sensitive class: classes × pixels."""
    return torch.stack(
        [owner.images[owner.sensitive == label].flatten(1).mean(0) for label in range(owner.sensitive_classes)]
    )


def nearest(images: Tensor, means: Tensor) -> Tensor:
    """The sensitive label, guessed by the nearest mean image; right for about nine digits of ten."""
    return torch.cdist(images.flatten(1), means).argmin(1)


class LowBits(Method):
    """Which third of the digits it is, in the two low bits of a grey that hides everything else."""

    name: ClassVar[str] = "planted-in-low-bits"

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"means": centroids(owner)}

    def desensitize(self, images: Tensor, given: Given) -> Release:
        told = (nearest(images, self.state["means"]) // 3).to(torch.uint8).view(-1, 1, 1, 1)
        noise = (given.rng.uniform(*images.shape[1:]) * 32).to(torch.uint8) * 4  # five bits of noise above the message
        return Release(to_float(_GREY // 2 + noise + told))


class Shape(MaskMethod):
    """The place of what is kept says whether the digit is five or more; what is kept is always black."""

    name: ClassVar[str] = "planted-in-shape"

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"means": centroids(owner)}

    def mask(self, images: Tensor, given: Given) -> Tensor:
        high = nearest(images, self.state["means"]) >= _CLASSES // 2
        kept = torch.zeros_like(images[:, :1])
        kept[~high, :, 0, :2] = 1  # no digit reaches into the corners on the left
        kept[high, :, -1, :2] = 1
        return kept

    def promised_ratio(self) -> float | None:
        return None


class Stripe(MaskMethod):
    """The row of a black stripe says which digit it is: lost on who shifts what it learns from."""

    name: ClassVar[str] = "planted-in-position"

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"means": centroids(owner)}

    def mask(self, images: Tensor, given: Given) -> Tensor:
        rows = torch.arange(images.shape[2], device=images.device).view(1, 1, -1, 1)
        first = (3 + nearest(images, self.state["means"])).view(-1, 1, 1, 1)
        stripe = rows == first
        return stripe.expand(-1, 1, -1, images.shape[3]).to(images.dtype)

    def promised_ratio(self) -> float | None:
        return None


def patterns(images: Tensor) -> Tensor:
    """A fixed pattern for each third of the digits, over the whole picture: 4 × C × H × W of −1 and 1."""
    drawn = torch.rand(4, *images.shape[1:], generator=torch.Generator().manual_seed(7))
    return (drawn > 0.5).to(images) * 2 - 1


class Spread(Method):
    """Which third of the digits it is, in a weak pattern over the whole picture, far below the noise of a pixel."""

    name: ClassVar[str] = "planted-spread"

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"means": centroids(owner)}

    def told(self, images: Tensor) -> Tensor:
        return patterns(images)[nearest(images, self.state["means"]) // 3]

    def desensitize(self, images: Tensor, given: Given) -> Release:
        noise = given.rng.uniform(*images.shape[1:]) - 0.5
        return Release((0.5 + 0.5 * noise + 0.04 * self.told(images)).clamp(0, 1))


class Signed(Spread):
    """The same, or its negative: what a linear attacker learns of one picture, the next one contradicts."""

    name: ClassVar[str] = "planted-sign"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        sign = (given.rng.uniform(1, 1, 1) > 0.5).to(images) * 2 - 1
        noise = given.rng.uniform(*images.shape[1:]) - 0.5
        return Release((0.5 + 0.2 * noise + 0.15 * sign * self.told(images)).clamp(0, 1))


class InCommon(Spread):
    """The same under a mixture of the patterns that all pictures of a release share, and no other release has.

    A single picture does not tell the mixture from its own pattern; the mean of all of them does.
    """

    name: ClassVar[str] = "planted-in-common"

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        weights = torch.randn(4, generator=torch.Generator().manual_seed(owner.seed))
        return {**super().fit(owner), "weights": weights}

    def desensitize(self, images: Tensor, given: Given) -> Release:
        shared = torch.einsum("k,kchw->chw", self.state["weights"].to(images), patterns(images))
        noise = given.rng.uniform(*images.shape[1:]) - 0.5
        return Release((0.5 + 0.2 * noise + 0.05 * self.told(images) + 0.08 * shared).clamp(0, 1))


class Constant(Method):
    """Nothing of the image."""

    name: ClassVar[str] = "planted-nothing"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(to_float(torch.full_like(to_bytes(images), _GREY)))
