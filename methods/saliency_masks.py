"""Masks from an interpretation algorithm: our reading of arXiv 2312.08975."""

from __future__ import annotations

from typing import ClassVar, Literal

from maskbench import Attribution, AttributionName, Given, MaskMethod, keep_highest
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F


class Saliency(MaskMethod):
    """Keep what an attribution says matters to a teacher of the task, hide the rest."""

    name: ClassVar[str] = "saliency"
    mirror_symmetric: ClassVar[bool] = True
    source: ClassVar[str] = "our reading of 2312.08975"

    attribution: AttributionName = Field("grad-cam", description="from `maskbench list attributions`")
    keep: Literal["top", "drop-top"] = Field("top", description="top: keep what matters; drop-top: hide it")
    smooth: float = Field(0.0, ge=0, description="σ in pixels of a Gaussian over the attribution; 0: none")
    random_share: float = Field(0.0, ge=0, le=1, description="share of the kept part that is chosen at random")

    def requests(self) -> tuple[Attribution, ...]:
        return (Attribution(self.attribution),)

    def scores(self, images: Tensor, given: Given) -> Tensor:
        scores = given.attributions[Attribution(self.attribution)]
        if self.smooth > 0:
            scores = smoothed(scores, self.smooth)
        return scores if self.keep == "top" else -scores

    def mask(self, images: Tensor, given: Given) -> Tensor:
        if self.random_share == 0:
            return super().mask(images, given)
        kept_by_score = (1 - self.ratio) * (1 - self.random_share)
        by_score = self.model_copy(update={"ratio": 1 - kept_by_score, "random_share": 0.0}).mask(images, given)
        chosen = F.avg_pool2d(by_score, self.unit, ceil_mode=True, count_include_pad=False)
        # Below 1 each, so that the units chosen by score stay ahead of all others.
        lots = given.rng.uniform(*chosen.shape[1:])
        return keep_highest(chosen + lots, images.shape[2:], self.unit, self.ratio, given.rng)


def smoothed(scores: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of N 1 H W, cut off at 3 σ or where reflection at the border runs out of image.

    In float64: a GPU convolves float32 in fewer digits, and close scores would change places.
    """
    from torchvision.transforms.v2.functional import gaussian_blur  # a second to import, and rarely used

    longest = min(scores.shape[2:]) - 1
    kernel = 2 * min(round(3 * sigma), longest) + 1
    return gaussian_blur(scores.double(), [kernel, kernel], [sigma, sigma]).to(scores.dtype)
