"""LIME: a linear model of what the network says of randomly masked copies of the image.

Captum's ``Lime`` and the authors' package fit one image at a time. With the same random copies for every image, the
weighted ridge regression has the same design matrix for all of them: its solution is one matrix, applied to the
network's answers.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from maskbench.attributions.algorithm import Algorithm
from maskbench.attributions.random_masking import masked_probabilities
from maskbench.models.recognizer import Recognizer

_CELLS = 7  # interpretable features to a side: a grid of patches, the same for every image
_KERNEL_WIDTH = 0.25  # of the proximity kernel, and
_PENALTY = 1.0  # of the ridge: both the defaults of the authors' package
_SEED = 0  # any: it only has to stay the same


def lime_samples(count: int) -> Tensor:
    """Which patches are visible: float32, count × 49, 0 or 1 with equal odds; the first sample is the whole image."""
    generator = torch.Generator().manual_seed(_SEED)
    samples = torch.randint(0, 2, (count, _CELLS * _CELLS), generator=generator).to(torch.float32)
    samples[0] = 1
    return samples


def proximity(samples: Tensor) -> Tensor:
    """Weight of each sample, section 3.3: the authors' exponential kernel of its cosine distance to the whole image."""
    distance = 1 - samples.mean(dim=1).sqrt()  # the cosine of a binary vector and the vector of ones
    return torch.exp(-(distance**2) / _KERNEL_WIDTH**2).sqrt()


def ridge_solution(samples: Tensor, weights: Tensor) -> Tensor:
    """The matrix (features × samples) that turns answers into the coefficients of a weighted ridge regression.

    The intercept is not penalised, so the regression is solved about the weighted means.
    """
    samples, weights = samples.double(), weights.double()
    centred = samples - (weights[:, None] * samples).sum(dim=0) / weights.sum()
    weighted = (weights[:, None] * centred).T
    penalty = _PENALTY * torch.eye(samples.shape[1], dtype=torch.float64)
    return torch.linalg.solve(weighted @ centred + penalty, weighted)


class Lime(Algorithm):
    """LIME: coefficient of each of 7 × 7 patches in a local linear model of the class's probability, 256 samples.

    Hidden patches show the network's neutral colour. Signed: what speaks against the class comes last.
    """

    name: ClassVar[str] = "lime"
    source: ClassVar[str] = "1602.04938, section 3"

    samples: int = Field(256, ge=2, description="masked copies of the image; 256 are about five for each patch")

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        samples = lime_samples(self.samples)
        size = images.shape[2:]
        masks = F.interpolate(samples.view(-1, 1, _CELLS, _CELLS), size=size, mode="nearest").to(images)
        probabilities = masked_probabilities(network, images, masks, pass_size)
        solution = ridge_solution(samples, proximity(samples)).to(images.device)
        # The intercept takes up any constant, so the first answer may be taken off: answers that do not change then
        # give zeros, free of rounding.
        coefficients = (probabilities - probabilities[:, :1]) @ solution.T
        return F.interpolate(coefficients.view(-1, 1, _CELLS, _CELLS), size=size, mode="nearest")
