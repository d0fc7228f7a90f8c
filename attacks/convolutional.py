"""Inference by a convolutional network that need not learn to look past holes: they are filled before it sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from maskbench import (
    ImageOnly,
    InferenceAttack,
    InferenceAux,
    Release,
    image_batch,
    minimise,
    predict,
    shift_and_flip,
    to_bytes,
)
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ._coordinates import whole_pictures
from ._factors import Factors

_STATED = 32  # pixels: the size of images that shifts are stated at
_MEMORY = 0.99  # of the moving average of weights, for each step


class Convolutional(InferenceAttack):
    """A network that sees the mask, and the mean picture given what is kept; shifts in training where they help."""

    name: ClassVar[str] = "convolutional"
    source: ClassVar[str] = "Polyak and Juditsky 1992 (averaged weights); maskbench (filled by a Gaussian model)"

    components: int = Field(200, ge=2, description="principal components that holes are filled by")
    passes: int = Field(2, ge=1, description="epochs for each epoch of the suite's attack training")
    shift: int = Field(3, ge=0, description="largest shift in pixels at 32 px; none where validation prefers that")

    def fit(self, aux: InferenceAux) -> Any:
        view = _View(None, aux.mirror)
        if aux.train.release.masks is not None:
            view = _View(Factors.fitted(whole_pictures(aux)[0].to(aux.device), self.components), aux.mirror)
        planes, held_out = view.of(aux.train.release), view.of(aux.validation.release)
        pixels = round(self.shift * min(planes.shape[2:]) / _STATED)
        tried = []
        for shift in dict.fromkeys((0, pixels)):
            network = self._trained(aux, planes, shift)
            answers = view.answers(network, held_out, aux.device)
            tried.append((float(F.cross_entropy(answers, aux.validation.known_labels)), shift, network))
        return view, min(tried, key=lambda each: each[:2])[2]

    def infer(self, release: Release, device: torch.device) -> Tensor:
        view, network = self.state
        return view.answers(network, view.of(release), device)

    def _trained(self, aux: InferenceAux, planes: Tensor, shift: int) -> ImageOnly:
        epochs = self.passes * aux.training.epochs
        training = aux.training.model_copy(update={"epochs": epochs, "average": _MEMORY})
        network = ImageOnly(aux.new_classifier(planes.shape[1], aux.classes))
        flip = aux.mirror and training.flip

        def loss_of(shown: Tensor, known: Tensor, generator: torch.Generator) -> Tensor:
            shown, _ = shift_and_flip(shown, None, padding=shift, flip=flip, generator=generator)
            return F.cross_entropy(network(image_batch(shown), None), known)

        known = aux.train.known_labels
        minimise(network, loss_of, (planes, known), training=training, seed=aux.seed, device=aux.device)
        return network


@dataclass(frozen=True)
class _View:
    """What the network sees, and how it is asked.

    Attributes:
        factors: what holes are filled by; None where there are none.
        mirror: whether a mirror image is as good, so that both are asked.
    """

    factors: Factors | None
    mirror: bool

    def of(self, release: Release) -> Tensor:
        """Uint8 (N, C, H, W): the picture and, where there are masks, the mask as one more channel."""
        if self.factors is None or release.masks is None:
            return to_bytes(release.images)
        return torch.cat([to_bytes(self.factors.filled(release)), to_bytes(release.masks)], dim=1)

    def answers(self, network: nn.Module, planes: Tensor, device: torch.device) -> Tensor:
        """Logits (N, classes), the mean of those of a picture and of its mirror image."""
        found = predict(network, planes, None, device=device)
        return (found + predict(network, planes.flip(-1), None, device=device)) / 2 if self.mirror else found
