"""Attributions that average gradients over random variations of the image.

Captum's ``NoiseTunnel`` and ``GradientShap`` draw fresh numbers for every image of a batch, so that an image's
attribution changes with the batch it comes in. Here the variations are drawn once for each sample, channel and
position, from a generator of their own, and are the same for every image, every call and every device. A pass takes
the gradients of as many variations of the batch as its size allows, so memory does not grow with their number.
"""

from __future__ import annotations

from typing import ClassVar

import captum.attr
import torch
from pydantic import Field
from torch import Tensor

from maskbench.attributions.algorithm import Algorithm
from maskbench.attributions.channels import magnitude
from maskbench.attributions.logits import LogitSum, predicted_classes
from maskbench.models.recognizer import Recognizer

_SEED = 0  # any: it only has to stay the same


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(_SEED)


def _gradients(logits: LogitSum, images: Tensor) -> Tensor:
    """Gradients of the logits with respect to variations of the images, (K, N, C, H, W) → (K, N, C, H, W)."""
    inputs = images.flatten(0, 1).detach().requires_grad_()
    return captum.attr.Saliency(logits).attribute(inputs, abs=False).view_as(images)


class SmoothGrad(Algorithm):
    """SmoothGrad: magnitude of the gradient, averaged over 16 noisy copies of the image (σ = 15 % of its range).

    A flat image has no range, so its copies are itself and the answer is its plain gradient.
    """

    name: ClassVar[str] = "smoothgrad"
    source: ClassVar[str] = "1706.03825"

    samples: int = Field(16, ge=1, description="noisy copies that are averaged")
    noise: float = Field(0.15, ge=0, description="σ as a share of the image's range; the paper finds 0.1 to 0.2 best")

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        logits = LogitSum(network, predicted_classes(network, images))
        noise = torch.randn((self.samples, 1, *images.shape[1:]), generator=_generator()).to(images)
        sigma = self.noise * (images.amax(dim=(1, 2, 3), keepdim=True) - images.amin(dim=(1, 2, 3), keepdim=True))
        total = torch.zeros_like(images)
        for part in noise.split(pass_size // len(images)):
            total += _gradients(logits, images + sigma * part).sum(dim=0)
        return magnitude(total / self.samples)


class GradientShap(Algorithm):
    """GradientSHAP: Integrated Gradients averaged over 16 plain colours as baselines, one random point on each path.

    The baselines are uniform over colours, so that dark pixels, which a black baseline cannot blame, get their share.
    The points are stratified over the path: one in each sixteenth.
    """

    name: ClassVar[str] = "gradient-shap"
    source: ClassVar[str] = "1705.07874; 1906.10670 (expected gradients)"

    samples: int = Field(16, ge=1, description="baselines that are averaged, each with one point on its path")

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        logits = LogitSum(network, predicted_classes(network, images))
        generator = _generator()
        baselines = torch.rand((self.samples, 1, images.shape[1], 1, 1), generator=generator).to(images)
        strata = torch.arange(self.samples).view(-1, 1, 1, 1, 1)
        along = ((strata + torch.rand(strata.shape, generator=generator)) / self.samples).to(images)
        total = torch.zeros_like(images)
        together = pass_size // len(images)
        for start, share in zip(baselines.split(together), along.split(together), strict=True):
            difference = images - start
            total += (difference * _gradients(logits, start + share * difference)).sum(dim=0)
        return magnitude(total / self.samples)
