"""Masks from attributions that saliency alone does not make: one for all, against a sensitive label, or without it."""

from __future__ import annotations

from typing import ClassVar

import torch
from maskbench import Attribution, AttributionName, Given, MaskMethod, Owner, Randomness, keep_highest
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F


class _Attributed(MaskMethod):
    """What the methods below share: the algorithm."""

    attribution: AttributionName = Field("integrated-gradients", description="from `maskbench list attributions`")

    def target(self) -> Attribution:
        """What matters to a teacher of the task."""
        return Attribution(self.attribution)

    def sensitive(self) -> Attribution:
        """What matters to a teacher of the sensitive label."""
        return Attribution(self.attribution, "sensitive")

    def ranks(self, attribution: Tensor) -> Tensor:
        """Rank of each unit of the mask by its mean attribution: N 1 H W → N 1 h w in [0, 1], ties share theirs."""
        return average_ranks(F.avg_pool2d(attribution, self.unit, ceil_mode=True, count_include_pad=False))


class Universal(_Attributed):
    """One mask for the whole set, from the average saliency: its shape can carry nothing about an image.

    Each training image has one vote: its units are ranked before the average is taken. Ties are broken once, in
    ``fit``. The mask still shows what the training set as a whole looks like.
    """

    name: ClassVar[str] = "universal"
    state_is_public: ClassVar[bool] = True  # the mask comes with every image

    def requests(self) -> tuple[Attribution, ...]:
        return (self.target(),)

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        average = self.ranks(owner.attributions[self.target()]).mean(dim=0, keepdim=True)
        once = Randomness(owner.seed, torch.zeros(1, dtype=torch.int64))
        return {"mask": keep_highest(average, tuple(owner.images.shape[2:]), self.unit, self.ratio, once)}

    def mask(self, images: Tensor, given: Given) -> Tensor:
        return self.state["mask"].expand(len(images), -1, -1, -1)


class Contrastive(_Attributed):
    """Keep what matters for the target label and not for the sensitive one: target rank − weight × sensitive rank.

    With weight 0 this is ``saliency``. Ranks make the two attributions comparable, whose scales are not.
    """

    name: ClassVar[str] = "contrastive"
    mirror_symmetric: ClassVar[bool] = True

    weight: float = Field(1.0, ge=0, description="of the sensitive label against the target label")

    def requests(self) -> tuple[Attribution, ...]:
        return (self.target(), self.sensitive())

    def scores(self, images: Tensor, given: Given) -> Tensor:
        target, sensitive = (self.ranks(given.attributions[request]) for request in self.requests())
        return target - self.weight * sensitive


class SensitiveDrop(_Attributed):
    """Hide what a teacher of the sensitive label looks at, whatever the task needs."""

    name: ClassVar[str] = "sensitive-drop"
    mirror_symmetric: ClassVar[bool] = True

    def requests(self) -> tuple[Attribution, ...]:
        return (self.sensitive(),)

    def scores(self, images: Tensor, given: Given) -> Tensor:
        return -given.attributions[self.sensitive()]


def average_ranks(values: Tensor) -> Tensor:
    """Rank of each value within its image, scaled to [0, 1], equal values sharing their mean rank: same shape."""
    flat = values.flatten(1)
    ordered = flat.sort(dim=1).values
    below = torch.searchsorted(ordered, flat)
    up_to = torch.searchsorted(ordered, flat, right=True)
    return ((below + up_to - 1) / (2 * max(flat.shape[1] - 1, 1))).view_as(values)
