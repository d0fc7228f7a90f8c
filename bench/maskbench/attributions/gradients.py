"""Attributions from gradients with respect to the input, through Captum."""

from __future__ import annotations

from typing import ClassVar

import captum.attr
from pydantic import Field
from torch import Tensor

from maskbench.attributions.algorithm import Algorithm
from maskbench.attributions.channels import magnitude
from maskbench.attributions.logits import LogitSum, predicted_classes
from maskbench.models.recognizer import Recognizer


def _leaf(images: Tensor) -> Tensor:
    """A copy that gradients reach: Captum would otherwise switch them on in the caller's tensor, with a warning."""
    return images.clone().requires_grad_()


class Gradient(Algorithm):
    """Magnitude of the gradient of the class's logit."""

    name: ClassVar[str] = "gradient"
    source: ClassVar[str] = "1312.6034, section 3"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        return magnitude(captum.attr.Saliency(LogitSum(network)).attribute(_leaf(images), abs=False))


class InputTimesGradient(Algorithm):
    """Input × gradient: the logit's first-order change if the pixel went to black."""

    name: ClassVar[str] = "input-x-gradient"
    source: ClassVar[str] = "1605.01713"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        return magnitude(captum.attr.InputXGradient(LogitSum(network)).attribute(_leaf(images)))


class IntegratedGradients(Algorithm):
    """Integrated Gradients from a black image, 16 Gauss–Legendre steps."""

    name: ClassVar[str] = "integrated-gradients"
    source: ClassVar[str] = "1703.01365, section 3"

    steps: int = Field(16, ge=1, description="points on the path from black: the time grows with them")

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        algorithm = captum.attr.IntegratedGradients(LogitSum(network, predicted_classes(network, images)))
        return magnitude(algorithm.attribute(images, n_steps=self.steps, internal_batch_size=pass_size))
