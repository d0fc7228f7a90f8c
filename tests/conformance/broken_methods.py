"""Methods that break one promise each, and nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from broken_alike import broken_alike
from maskbench import Given, MaskMethod, Method, Owner, Release
from pydantic import PrivateAttr
from torch import Tensor

_REMEMBERED: dict[str, Tensor] = {}


class Negative(Method):
    """Negate every value: what the methods below do right."""

    name: ClassVar[str] = "negative"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(1 - images)


class Misspelt(Negative):
    """An attribution that does not exist."""

    name: ClassVar[str] = "misspelt"

    def release_parameters(self) -> dict[str, Any]:
        return {"names": {"a", "b"}}


class FitsAList(Negative):
    """A state that cannot be stored."""

    name: ClassVar[str] = "fits-a-list"

    def fit(self, owner: Owner) -> Any:
        return [owner.images.mean()]


class TooBright(Negative):
    """Values above 1."""

    name: ClassVar[str] = "too-bright"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(images + 0.5)


class Overwrites(Negative):
    """The input is the output's buffer."""

    name: ClassVar[str] = "overwrites"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(images.mul_(0.5))


class ChangesKept(Negative):
    """A mask that keeps everything, over images that are changed."""

    name: ClassVar[str] = "changes-kept"
    masked: ClassVar[bool] = True

    def desensitize(self, images: Tensor, given: Given) -> Release:
        masks = torch.ones_like(images[:, :1])
        masks[..., : images.shape[3] // 2] = 0
        return Release(images / 2, masks)


class HidesTooLittle(MaskMethod):
    """Whatever the ratio, the left half."""

    name: ClassVar[str] = "hides-too-little"

    def mask(self, images: Tensor, given: Given) -> Tensor:
        mask = torch.ones_like(images[:, :1])
        mask[..., : images.shape[3] // 2] = 0
        return mask


class PassesOver(Negative):
    """What is dark comes out as it went in."""

    name: ClassVar[str] = "passes-over"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(torch.where(images.mean(dim=(1, 2, 3), keepdim=True) < 0.5, images, 1 - images))


class ShowsWhatItHides(Negative):
    """A mask over the image as it is."""

    name: ClassVar[str] = "shows-what-it-hides"
    masked: ClassVar[bool] = True

    def desensitize(self, images: Tensor, given: Given) -> Release:
        masks = torch.ones_like(images[:, :1])
        masks[..., : images.shape[3] // 2] = 0
        return Release(images, masks)


class Unseeded(Negative):
    """Random numbers from nowhere."""

    name: ClassVar[str] = "unseeded"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(torch.rand_like(images))


class UnseededFit(Negative):
    """Random numbers from nowhere, in fit."""

    name: ClassVar[str] = "unseeded-fit"

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"noise": torch.rand(3)}


class MixesTheBatch(Negative):
    """Each image depends on the others."""

    name: ClassVar[str] = "mixes-the-batch"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release(images.mean(dim=0, keepdim=True).expand_as(images))


class WantsLabels(Negative):
    """No release without labels."""

    name: ClassVar[str] = "wants-labels"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        return Release((1 - images) * (given.labels[:, None, None, None] > 0))


class RecallsLabels(Negative):
    """Labels of images that came before are used when the images come again."""

    name: ClassVar[str] = "recalls-labels"
    _labels: dict[str, Tensor] = PrivateAttr(default_factory=dict)

    def desensitize(self, images: Tensor, given: Given) -> Release:
        if given.labels is not None:
            self._labels["last"] = given.labels
        labels = self._labels.get("last", torch.zeros(len(images)))
        return Release((1 - images) * (labels[:, None, None, None] == 0))


class LeavesBehind(Negative):
    """The first party's mean stays in a global."""

    name: ClassVar[str] = "leaves-behind"

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"mean": _REMEMBERED.setdefault("mean", owner.images.mean())}


class KeepsInItself(Negative):
    """The first party's mean stays in the instance."""

    name: ClassVar[str] = "keeps-in-itself"
    _own: dict[str, Tensor] = PrivateAttr(default_factory=dict)

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        return {"mean": self._own.setdefault("mean", owner.images.mean())}


class OnlyColour(Negative):
    """Three channels, always."""

    name: ClassVar[str] = "only-colour"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        red, green, blue = images.unbind(dim=1)
        return Release(1 - torch.stack([red, green, blue], dim=1))


class NeedsContrast(Negative):
    """Divides by the range."""

    name: ClassVar[str] = "needs-contrast"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
        return Release((high - images) / (high - low))


BROKEN: dict[type[Method], str] = {
    **broken_alike(Negative),
    Misspelt: "declarations",
    FitsAList: "fit",
    TooBright: "release",
    Overwrites: "input",
    ChangesKept: "kept pixels",
    HidesTooLittle: "ratio",
    PassesOver: "output",
    ShowsWhatItHides: "output",
    Unseeded: "determinism",
    UnseededFit: "determinism",
    MixesTheBatch: "batch size",
    WantsLabels: "labels",
    RecallsLabels: "labels",
    LeavesBehind: "one party's state",
    KeepsInItself: "one party's state",
    OnlyColour: "sizes",
    NeedsContrast: "black and white",
}
"""Method → the check that it fails."""
