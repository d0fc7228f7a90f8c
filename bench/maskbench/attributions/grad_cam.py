"""Grad-CAM, through Captum."""

from __future__ import annotations

from typing import ClassVar

from captum.attr import LayerGradCam
from torch import Tensor
from torch.nn import functional as F

from maskbench.attributions.algorithm import Algorithm
from maskbench.attributions.logits import LogitSum
from maskbench.models.recognizer import Recognizer


class GradCam(Algorithm):
    """Grad-CAM at the recognizer's last feature layer, enlarged bilinearly."""

    name: ClassVar[str] = "grad-cam"
    source: ClassVar[str] = "1610.02391, section 3"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        layer = network.get_submodule(network.feature_layers[-1])
        # The layer's weights are frozen, so the graph has to start at the input.
        images = images.clone().requires_grad_()
        coarse = LayerGradCam(LogitSum(network), layer).attribute(images, relu_attributions=True)
        return F.interpolate(coarse, size=images.shape[2:], mode="bilinear", align_corners=False)
