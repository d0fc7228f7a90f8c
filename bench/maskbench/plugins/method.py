"""The contract of a desensitization method, and of the common case: a method that hides by a mask."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, final

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from maskbench.errors import ContractViolation, unknown
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.plugins import judging
from maskbench.plugins.base import Plugin
from maskbench.plugins.catalogue import create_nested
from maskbench.plugins.fills import FILLS
from maskbench.plugins.given import Attribution, Given, Owner
from maskbench.randomness import Randomness
from maskbench.release import Release, to_bytes, to_float


class Method(Plugin):
    """A way to desensitize images. Implement ``desensitize``; ``fit``, ``requests`` and ``adapt`` are optional.

    Attributes:
        masked: whether the release is made with masks; ``withholds_masks`` says whether they are handed out.
        role: the two controls are told by their role, not by their name: ``raw`` releases the image as it is
            (the upper end of utility), ``null`` releases nothing of it (the chance level of every attack).
        mirror_symmetric: whether the mirrored release could be the release of the mirrored image. Only then do the
            recognizer and the attackers mirror what they train on: a method that codes something in left and right
            would otherwise hide it from every attacker that mirrors. False unless the author says so.
        state_is_public: what ``fit`` learned can be read off a release, so an attacker who runs the method uses the
            owner's. ``desensitize`` may then use the state alone, no attributions.
    """

    masked: ClassVar[bool] = False
    role: ClassVar[Literal["method", "raw", "null"]] = "method"
    mirror_symmetric: ClassVar[bool] = False
    state_is_public: ClassVar[bool] = False

    def key_known(self) -> bool:
        """Whether the attacker has the owner's key: its copy of the method is then fitted with the owner's seed."""
        return False

    def invert(self, release: Release) -> Tensor:
        """What someone who has the key makes of a release: float32 N C H W in [0, 1]. Only for methods with a key."""
        raise ContractViolation(f"method '{self.name}' has no key, so nothing that could invert it.")

    def requests(self) -> tuple[Attribution, ...]:
        """The attributions that ``fit`` and ``desensitize`` need; the engine computes and shares them."""
        return ()

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        """Learn from a party's training images; the returned tensors come back as ``self.state`` (and can be saved)."""
        return {}

    @abstractmethod
    def desensitize(self, images: Tensor, given: Given) -> Release:
        """Desensitize a batch: float32 N C H W in [0, 1] → a release of the same shape.

        Each image must be treated on its own: the result may depend on no other image of the batch.
        """

    def adapt(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        """Adjust the recognizer to the release: a module called as ``module(images, masks)`` that returns logits.

        ``teacher`` is the owner's recognizer of raw images where ``needs_teacher`` says it is wanted, else None.
        """
        return ImageOnly(recognizer)

    def withholds_masks(self) -> bool:
        """Whether the release comes without the masks it was made with: an attacker then has to find them first."""
        return False

    def needs_teacher(self) -> bool:
        """Whether ``adapt`` and ``recognition_loss`` want the owner's raw teacher."""
        return False

    def recognition_loss(self, task: Tensor, logits: Tensor, taught: Tensor | None) -> Tensor:
        """What training the adapted recognizer minimises; see :meth:`Adjustment.loss`."""
        return task

    def release_parameters(self) -> dict[str, Any]:
        """The parameters that shape the release; methods that differ in others share one release."""
        return self.identity()

    def adaptation_parameters(self) -> dict[str, Any]:
        """The parameters that shape what ``adapt`` returns."""
        return self.identity()

    def adaptation_modules(self) -> tuple[str, ...]:
        """Modules that ``adapt`` reaches by name, so that a change in them is noticed."""
        return ()

    def promised_ratio(self) -> float | None:
        """The share of each image that is hidden, where the method promises one."""
        return None

    def ratio_tolerance(self, height: int, width: int) -> float:
        """By how much one unit of the mask can miss the ratio, as a share of the image."""
        return 1 / (height * width)

    @final
    def release(
        self,
        images: Tensor,
        *,
        seed: int,
        numbers: Tensor,
        labels: Tensor | None = None,
        attributions: Mapping[Attribution, Tensor] | None = None,
    ) -> Release:
        """Desensitize a batch and judge the result; what the engine calls, and what no plug-in can replace.

        Args:
            images: float32 N C H W in [0, 1], on the 8-bit grid.
            seed: the seed of this party's release.
            numbers: int64 (N,), the number of each image in its data set.
            labels: int64 (N,), the task labels of training images; None for test images.
            attributions: the answers to ``requests``, N 1 H W each.

        Returns:
            The release, rounded to the 8 bits it is handed out in.

        Raises:
            ContractViolation: the plug-in proposed something that its contract rules out.
        """
        given = Given(Randomness(seed, numbers), labels, attributions or {})
        before = images.clone()
        proposed = self.desensitize(images, given)
        who = f"method '{self.name}'"
        if not torch.equal(images, before):
            raise ContractViolation(f"{who} changed its input in place: work on a copy.")
        judged = judging.release(proposed, before, who, self.masked)
        promised = self.promised_ratio()
        if promised is not None and judged.masks is not None:
            judging.ratio(judged.masks, promised, self.ratio_tolerance(*images.shape[2:]), who)
        return Release(to_float(to_bytes(judged.images)), judged.masks)


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
    adjust: str = Field("none", description="model adjustment: how the recognizer deals with the masks")

    @field_validator("fill")
    @classmethod
    def _known_fill(cls, value: str) -> str:
        if value not in FILLS:
            raise unknown("fill", value, FILLS)
        return value

    @field_validator("adjust")
    @classmethod
    def _known_adjustment(cls, value: str) -> str:
        create_nested("adjustment", value)
        return value

    @model_validator(mode="after")
    def _adjusted_to_what_is_there(self) -> Self:
        if self.withholds_masks() and create_nested("adjustment", self.adjust).needs_masks:
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
        return create_nested("adjustment", self.adjust).wrap(recognizer, teacher)

    def needs_teacher(self) -> bool:
        return create_nested("adjustment", self.adjust).needs_teacher

    def recognition_loss(self, task: Tensor, logits: Tensor, taught: Tensor | None) -> Tensor:
        return create_nested("adjustment", self.adjust).loss(task, logits, taught)

    def release_parameters(self) -> dict[str, Any]:
        return {name: value for name, value in self.identity().items() if name != "adjust"}

    def adaptation_parameters(self) -> dict[str, Any]:
        adjustment = create_nested("adjustment", self.adjust)
        return {"adjust": adjustment.name, "masks": self.masks, **adjustment.identity()}

    def adaptation_modules(self) -> tuple[str, ...]:
        return (type(create_nested("adjustment", self.adjust)).__module__,)

    def promised_ratio(self) -> float | None:
        return self.ratio

    def ratio_tolerance(self, height: int, width: int) -> float:
        return min(self.unit, height) * min(self.unit, width) / (height * width)


def keep_highest(scores: Tensor, size: tuple[int, int], unit: int, ratio: float, rng: Randomness) -> Tensor:
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
    whole = keep.repeat_interleave(unit, dim=2).repeat_interleave(unit, dim=3)
    return whole[:, :, :height, :width].contiguous()
