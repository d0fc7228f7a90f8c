"""One paragraph: what the method hides, and why that should protect."""

from __future__ import annotations

from typing import ClassVar

from maskbench import Given, MaskMethod
from pydantic import Field
from torch import Tensor


# A MaskMethod brings the parameters ratio, geometry, patch, fill and adjust along. A method that changes images in
# another way extends maskbench.Method and implements desensitize(images, given), which returns a maskbench.Release.
class NewMethod(MaskMethod):
    """Keep the brightest places, hide the rest."""  # `maskbench list methods` shows this line

    name: ClassVar[str] = "new-method"  # what is typed after --method
    source: ClassVar[str] = "maskbench"  # or the paper: arXiv number, section or equation

    # A parameter: typed, checked, set by --method new-method:darkest=true, and part of every cache key.
    darkest: bool = Field(False, description="keep the darkest places instead")

    # images: float32 (N, C, H, W) in [0, 1]. given.rng draws random numbers, one stream an image; given.attributions
    # answers requests(). The places with the highest scores, float32 (N, 1, H, W), are kept. Each image counts alone.
    def scores(self, images: Tensor, given: Given) -> Tensor:
        brightness = images.mean(dim=1, keepdim=True)
        return -brightness if self.darkest else brightness

    # A method that learns implements fit(self, owner) -> dict[str, Tensor], and reads that dict from self.state.
