"""Inference of a label by a classifier, in the modes of Newton et al. 2005 (adaptive is their "parrot")."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench import InferenceAttack, InferenceAux, Release
from bench.models.recognizer import ImageOnly
from bench.release import to_bytes
from bench.training.classifier import predict, train_classifier


class _Trained(InferenceAttack):
    """A classifier trained on some view of the release: uint8 planes N C H W."""

    @abstractmethod
    def view(self, release: Release) -> Tensor:
        """What the classifier sees."""

    def fit(self, aux: InferenceAux) -> Any:
        planes = self.view(aux.train.release)
        network = ImageOnly(aux.new_classifier(planes.shape[1], aux.classes))
        train_classifier(
            network,
            planes,
            None,
            aux.train.labels,
            training=aux.training,
            flip=aux.mirror,
            seed=aux.seed,
            device=aux.device,
            progress=aux.progress,
        )
        return network

    def infer(self, release: Release, device: torch.device) -> Tensor:
        return predict(self.state, self.view(release), None, device=device)


class Adaptive(_Trained):
    """A classifier trained on releases of the same method, with the mask as one more channel."""

    name: ClassVar[str] = "adaptive"
    source: ClassVar[str] = "Newton et al. 2005 (parrot recognition); 1905.05243"

    def view(self, release: Release) -> Tensor:
        images = to_bytes(release.images)
        return images if release.masks is None else torch.cat([images, to_bytes(release.masks)], dim=1)


class MaskOnly(_Trained):
    """A classifier that sees the mask alone: what its shape gives away."""

    name: ClassVar[str] = "mask-only"
    source: ClassVar[str] = "2202.00449, section 3"
    needs_masks: ClassVar[bool] = True
    probes_target: ClassVar[bool] = True
    shape_probe: ClassVar[bool] = True

    def view(self, release: Release) -> Tensor:
        return to_bytes(release.masks)


class Reverse(InferenceAttack):
    """A classifier of raw pictures, applied to restored ones; the restoration is chosen on attacker-validation."""

    name: ClassVar[str] = "reverse"
    source: ClassVar[str] = "Newton et al. 2005 (reverse recognition)"
    needs_restorations: ClassVar[bool] = True
    needs_raw_classifier: ClassVar[bool] = True

    def fit(self, aux: InferenceAux) -> Any:
        def accuracy(restored: Tensor) -> float:
            return float((aux.raw_classifier(restored).argmax(1) == aux.validation.labels).float().mean())

        candidates = aux.validation.release.restorations
        best = max(sorted(candidates), key=lambda name: accuracy(candidates[name]))
        return best, aux.raw_classifier

    def infer(self, release: Release, device: torch.device) -> Tensor:
        best, classify = self.state
        return classify(release.restorations[best])
