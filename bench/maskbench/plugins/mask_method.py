"""The contract of a method that hides by a mask, the common case."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, final

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from maskbench.errors import ContractViolation, unknown
from maskbench.fills import FILLS
from maskbench.models.recognizer import Recognizer
from maskbench.plugins import judging
from maskbench.plugins.combination import Combination
from maskbench.plugins.given import Given
from maskbench.plugins.method import Method
from maskbench.randomness import Randomness
from maskbench.release import Release


class MaskMethod(Method):
    """A method that hides ``ratio`` of each image. Implement ``scores`` (the highest stay), or ``mask`` itself."""

    masked: ClassVar[bool] = True

    ratio: float = Field(0.75, ge=0, le=1, description="share of the image that is hidden")
    geometry: Literal["pixel", "patch"] = Field("patch", description="what is hidden or kept as one")
    patch: int = Field(4, ge=1, description="side of a patch in pixels")
    masks: Literal["released", "withheld"] = Field(
        "released", description="whether masks are handed out; if not, an attacker has to find them"
    )
    fill: str = Field("zero", description=f"what stands in the holes: {', '.join(FILLS)}")
    adjust: str = Field("none", description="model adjustment: how the recognizer deals with the masks; several as a+b")

    @field_validator("fill")
    @classmethod
    def _known_fill(cls, value: str) -> str:
        if value not in FILLS:
            raise unknown("fill", value, FILLS)
        return value

    @field_validator("adjust")
    @classmethod
    def _known_adjustment(cls, value: str) -> str:
        Combination.parse(value)
        return value

    @model_validator(mode="after")
    def _adjusted_to_what_is_there(self) -> Self:
        if self.withholds_masks() and Combination.parse(self.adjust).needs_masks:
            raise ValueError(f"adjust={self.adjust} looks at the masks, and masks=withheld keeps them from it")
        return self

    def scores(self, images: Tensor, given: Given) -> Tensor:
        """How much each place deserves to be kept: float32 N 1 H W, or already one value a unit, N 1 h w."""
        raise ContractViolation(f"method '{self.name}' implements neither scores nor mask; a mask method needs one.")

    def mask(self, images: Tensor, given: Given) -> Tensor:
        """Binary N 1 H W, 1 = kept. By default the units with the highest scores, ties broken at random."""
        scores = self.scores(images, given)
        height, width = images.shape[2:]
        if scores.shape[2:] == (height, width):
            scores = F.avg_pool2d(scores, self.unit, ceil_mode=True, count_include_pad=False)
        return keep_highest(scores, (height, width), self.unit, self.ratio, given.rng)

    @property
    def unit(self) -> int:
        """Side of a unit of the mask, in pixels."""
        return self.patch if self.geometry == "patch" else 1

    @final
    def desensitize(self, images: Tensor, given: Given) -> Release:
        masks = judging.masks(self.mask(images, given), images, f"method '{self.name}'")
        filled = FILLS[self.fill](images, masks, given.rng)
        return Release(torch.where(masks == 1, images, filled), masks)

    def withholds_masks(self) -> bool:
        return self.masks == "withheld"

    def adapt(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return Combination.parse(self.adjust).wrap(recognizer, teacher)

    def needs_teacher(self) -> bool:
        return Combination.parse(self.adjust).needs_teacher

    def needs_answers(self) -> bool:
        return Combination.parse(self.adjust).needs_answers

    def answer_temperature(self) -> float:
        return Combination.parse(self.adjust).answer_temperature()

    def needs_public(self) -> bool:
        return Combination.parse(self.adjust).needs_public

    def recognition_loss(self, task: Tensor, logits: Tensor, taught: Tensor | None) -> Tensor:
        return Combination.parse(self.adjust).loss(task, logits, taught)

    def release_parameters(self) -> dict[str, Any]:
        return {name: value for name, value in self.identity().items() if name != "adjust"}

    def adaptation_parameters(self) -> dict[str, Any]:
        return {"adjust": Combination.parse(self.adjust).parameters(), "masks": self.masks}

    def adaptation_modules(self) -> tuple[str, ...]:
        return Combination.parse(self.adjust).modules()

    def promised_ratio(self) -> float | None:
        return self.ratio

    def ratio_tolerance(self, height: int, width: int) -> float:
        return min(self.unit, height) * min(self.unit, width) / (height * width)


def keep_highest(scores: Tensor, size: tuple[int, ...], unit: int, ratio: float, rng: Randomness) -> Tensor:
    """Keep the units with the highest scores until 1 − ratio of the pixels are kept.

    Units at the right and lower edge may be smaller; the budget is counted in pixels, so the hidden share misses the
    ratio by at most half a unit. Equal scores are broken at random, or else every flat image would keep its corner.

    Args:
        scores: float32, N 1 h w, one value a unit, with h = ceil(H / unit).
        size: (H, W) of the image.

    Returns:
        float32, N 1 H W, 1 = kept.
    """
    height, width = size
    rows, columns = scores.shape[2:]
    flat = scores.flatten(1)
    shuffle = rng.permutation(flat.shape[1])
    order = shuffle.gather(1, flat.gather(1, shuffle).argsort(dim=1, descending=True, stable=True))
    side = torch.full((rows,), unit, device=scores.device)
    side[-1] = height - unit * (rows - 1)
    base = torch.full((columns,), unit, device=scores.device)
    base[-1] = width - unit * (columns - 1)
    area = (side[:, None] * base[None, :]).flatten().expand_as(order).gather(1, order)
    middle = area.cumsum(1) - area / 2
    keep_sorted = (middle < (1 - ratio) * height * width).to(torch.float32)
    keep = torch.zeros_like(flat).scatter(1, order, keep_sorted).view(-1, 1, rows, columns)
    # A unit may be larger than the image by any factor, and what lies outside costs memory too.
    whole = keep.repeat_interleave(min(unit, height), dim=2).repeat_interleave(min(unit, width), dim=3)
    return whole[:, :, :height, :width].contiguous()
