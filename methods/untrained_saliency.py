"""A control for saliency masks: the same algorithm, explaining a network that has learned nothing."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from maskbench import (
    AttributionName,
    Given,
    MaskMethod,
    Owner,
    Recognizer,
    build_recognizer,
    find_attribution,
    named_code,
    seeded,
)
from pydantic import Field
from torch import Tensor

_RECOGNIZER = "small"
_LAST = "network.head.weight"  # classes × features: tells how many classes the stored network has


class UntrainedSaliency(MaskMethod):
    """Keep what an attribution says matters to an untrained network: how much of saliency is the algorithm alone.

    The network is the ``small`` recognizer with each party's own random weights. It is computed in float64, so that
    its rounding, which depends on the batch and the device, does not reach the mask.
    """

    name: ClassVar[str] = "saliency-untrained"
    source: ClassVar[str] = "1810.03292 (randomised models as a control)"

    attribution: AttributionName = Field("grad-cam", description="from `maskbench list attributions`")

    def fit(self, owner: Owner) -> dict[str, Tensor]:
        channels, height, width = owner.images.shape[1:]
        with seeded(owner.seed):
            network = build_recognizer(_RECOGNIZER, channels=channels, classes=owner.classes, size=(height, width))
        return network.state_dict()

    def scores(self, images: Tensor, given: Given) -> Tensor:
        return find_attribution(self.attribution).explain(self._network(images), images.double())

    def release_parameters(self) -> dict[str, Any]:
        # The engine follows imports; what is reached by its name is named here.
        code = named_code(recognizer=_RECOGNIZER, attribution=self.attribution)
        return {**super().release_parameters(), "code": code}

    def _network(self, images: Tensor) -> Recognizer:
        channels, height, width = images.shape[1:]
        with torch.device("meta"):  # no weights are drawn: those of the state take their place
            classes = len(self.state[_LAST])
            network = build_recognizer(_RECOGNIZER, channels=channels, classes=classes, size=(height, width))
        network.load_state_dict(self.state, assign=True)
        return network.to(images.device).double().eval().requires_grad_(False)
