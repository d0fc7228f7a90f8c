"""A control that releases the data set's average."""

from __future__ import annotations

from typing import ClassVar

from maskbench import Given, Method, Owner, Release
from torch import Tensor


class MeanImage(Method):
    """Release the mean of the training images for everybody: it says nothing about the image itself.

    What a restoration attack scores here is what it owes to the images being alike.
    """

    name: ClassVar[str] = "mean-image"
    deterministic: ClassVar[bool] = True
    state_is_public: ClassVar[bool] = True

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"mean": owner.images.mean(dim=0).clamp(0, 1)}

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(self.state["mean"].expand_as(images))
