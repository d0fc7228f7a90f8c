"""Inference of a label by a classifier, in the modes of Newton et al. 2005 (adaptive is their "parrot")."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from maskbench import ImageOnly, InferenceAttack, InferenceAux, LearnsFrom, Release, predict, train_classifier
from torch import Tensor

_BITS, _WHITE = 8, 255


def trained(planes: Tensor, aux: InferenceAux) -> ImageOnly:
    """A classifier of the suite's kind, trained on what the attacker knows: uint8 planes (N, C, H, W) and labels."""
    network = ImageOnly(aux.new_classifier(planes.shape[1], aux.classes))
    train_classifier(
        network,
        planes,
        None,
        aux.train.known_labels,
        training=aux.training,
        flip=aux.mirror,
        seed=aux.seed,
        device=aux.device,
        progress=aux.progress,
    )
    return network


class _Trained(InferenceAttack):
    """A classifier trained on some view of the release: uint8 planes (N, C, H, W)."""

    @abstractmethod
    def view(self, release: Release) -> Tensor:
        """What the classifier sees."""

    def fit(self, aux: InferenceAux) -> Any:
        return trained(self.view(aux.train.release), aux)

    def infer(self, release: Release, device: torch.device) -> Tensor:
        return predict(self.state, self.view(release), None, device=device)


class Adaptive(_Trained):
    """A classifier trained on releases of the same method, with the mask as one more channel."""

    name: ClassVar[str] = "adaptive"
    source: ClassVar[str] = "Newton et al. 2005 (parrot recognition); 1905.05243"
    learns_from: ClassVar[LearnsFrom] = "releases"

    def view(self, release: Release) -> Tensor:
        images, masks = release.image_bytes, release.mask_bytes
        return images if masks is None else torch.cat([images, masks * _WHITE], dim=1)


class AdaptiveWithTask(Adaptive):
    """The same, of sensitive and task label together: a release may tell one only to who knows the other."""

    name: ClassVar[str] = "adaptive-with-task"
    source: ClassVar[str] = "maskbench"
    with_task: ClassVar[bool] = True


class AdaptiveBits(_Trained):
    """The same, shown every bit of the release as a channel: what low bits say is lost on who sees brightness."""

    name: ClassVar[str] = "adaptive-bits"
    learns_from: ClassVar[LearnsFrom] = "releases"

    def view(self, release: Release) -> Tensor:
        images, masks = release.image_bytes, release.mask_bytes
        bits = [images >> place & 1 for place in range(_BITS)]
        return torch.cat(bits if masks is None else [*bits, masks], dim=1) * _WHITE


class MaskOnly(_Trained):
    """A classifier that sees the mask alone: what its shape gives away."""

    name: ClassVar[str] = "mask-only"
    source: ClassVar[str] = "2202.00449, section 3"
    learns_from: ClassVar[LearnsFrom] = "masks"
    needs_masks: ClassVar[bool] = True

    def view(self, release: Release) -> Tensor:
        return release.kept_bytes * _WHITE


class Naive(InferenceAttack):
    """A classifier of raw pictures, shown releases as if nothing had been done to them."""

    name: ClassVar[str] = "naive"
    source: ClassVar[str] = "Newton et al. 2005 (naive recognition)"
    learns_from: ClassVar[LearnsFrom] = "raw"
    needs_raw_classifier: ClassVar[bool] = True

    def fit(self, aux: InferenceAux) -> Any:
        return aux.raw_classifier

    def infer(self, release: Release, device: torch.device) -> Tensor:
        return self.state(release.image_bytes)


class Reverse(InferenceAttack):
    """A classifier of raw pictures, shown restored ones: by the restoration that is closest on attacker-validation."""

    name: ClassVar[str] = "reverse"
    source: ClassVar[str] = "Newton et al. 2005 (reverse recognition)"
    learns_from: ClassVar[LearnsFrom] = "raw"
    needs_restorations: ClassVar[bool] = True
    needs_raw_classifier: ClassVar[bool] = True

    def fit(self, aux: InferenceAux) -> Any:
        return aux.closest_restoration(of=aux.validation), aux.raw_classifier

    def infer(self, release: Release, device: torch.device) -> Tensor:
        best, classify = self.state
        return classify(release.restoration_bytes[best])


class RestoredAdaptive(InferenceAttack):
    """A classifier trained on restored pictures, by the restoration that comes closest on attacker-validation.

    A restorer that was trained on the same pictures restores these better than the owner's. Restoring each half by who
    learned on the other one gained nothing: 55.8 against 56.4 % accuracy (5,000 faces, random masks, three seeds).
    """

    name: ClassVar[str] = "restored-adaptive"
    source: ClassVar[str] = "1609.00408; 1905.05243"
    learns_from: ClassVar[LearnsFrom] = "restorations"
    needs_restorations: ClassVar[bool] = True

    def fit(self, aux: InferenceAux) -> Any:
        best = aux.closest_restoration()
        return best, trained(aux.train.release.restoration_bytes[best], aux)

    def infer(self, release: Release, device: torch.device) -> Tensor:
        best, network = self.state
        return predict(network, release.restoration_bytes[best], None, device=device)
