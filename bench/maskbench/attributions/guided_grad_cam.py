"""Guided Grad-CAM, through Captum."""

from __future__ import annotations

import warnings
from typing import ClassVar

from captum.attr import GuidedGradCam as CaptumGuidedGradCam
from torch import Tensor

from maskbench.attributions.algorithm import Algorithm
from maskbench.attributions.channels import magnitude
from maskbench.attributions.logits import LogitSum
from maskbench.models.recognizer import Recognizer


class GuidedGradCam(Algorithm):
    """Guided backpropagation × Grad-CAM at the recognizer's last feature layer, enlarged bilinearly; magnitude.

    Guided backpropagation changes ``nn.ReLU`` modules alone: in a network with other activations the first factor is
    the plain gradient.
    """

    name: ClassVar[str] = "guided-grad-cam"
    source: ClassVar[str] = "1610.02391, section 3.2"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        layer = network.get_submodule(network.feature_layers[-1])
        with warnings.catch_warnings():
            # Captum announces on every call that it hooks the activations, and takes its hooks away again.
            warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU activations")
            attribution = CaptumGuidedGradCam(LogitSum(network), layer).attribute(
                images.clone().requires_grad_(), interpolate_mode="bilinear"
            )
        return magnitude(attribution)
