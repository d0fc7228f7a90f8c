"""Inference by a convolutional network that need not learn to look past holes: they are filled before it sees them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
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
Renewed = Callable[[int], tuple[Tensor, Tensor]]
_PLAIN = 1 / 3  # of the epochs, in which raw pictures are shown
_WHITE = 255
_TRIED = 0.25  # of the epochs, in which each diet is tried


class Convolutional(InferenceAttack):
    """A network that sees the mask, and the mean picture given what is kept; trained on ever new releases.

    The attacker runs the method anew for every epoch, on pictures that are shifted a little, round to any place, or not
    at all, as validation prefers. Where it prefers the releases that are there, those are learned from: each of them
    may have been made with another key.
    """

    name: ClassVar[str] = "convolutional"
    source: ClassVar[str] = "Polyak and Juditsky 1992 (averaged weights); maskbench (filled by a Gaussian model)"

    components: int = Field(100, ge=2, description="principal components that holes are filled by")
    passes: int = Field(2, ge=1, description="epochs for each epoch of the suite's attack training")
    shift: int = Field(3, ge=0, description="largest shift in pixels at 32 px; none where validation prefers that")

    def fit(self, aux: InferenceAux) -> Any:
        view = _View(None, aux.mirror)
        if aux.train.release.masks is not None:
            view = _View(Factors.fitted(whole_pictures(aux)[0].to(aux.device), self.components), aux.mirror)
        pixels = round(self.shift * min(aux.train.release.images.shape[2:]) / _STATED)
        epochs = self.passes * aux.training.epochs
        diets: list[_Diet] = [_Stored(aux, view, epochs, shift) for shift in dict.fromkeys((0, pixels))]
        if aux.release is not None and aux.train.raw is not None:
            diets = [diets[0], *(_Fresh(aux, view, epochs, shift) for shift in dict.fromkeys((0, pixels, None)))]
        held_out = view.of(aux.validation.release)

        def loss_of(diet: _Diet) -> float:
            answers = view.answers(diet.trained(_TRIED), held_out, aux.device)
            return float(F.cross_entropy(answers, aux.validation.known_labels))

        return view, min(diets, key=loss_of).trained(1.0)

    def infer(self, release: Release, device: torch.device) -> Tensor:
        view, network = self.state
        return view.answers(network, view.of(release), device)


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

    def of_whole(self, pictures: Tensor) -> Tensor:
        """The same of raw pictures, uint8 (N, C, H, W), that nothing is hidden of."""
        if self.factors is None:
            return pictures
        return torch.cat([pictures, torch.full_like(pictures[:, :1], _WHITE)], dim=1)

    def answers(self, network: nn.Module, planes: Tensor, device: torch.device) -> Tensor:
        """Logits (N, classes), the mean of those of a picture and of its mirror image."""
        found = predict(network, planes, None, device=device)
        return (found + predict(network, planes.flip(-1), None, device=device)) / 2 if self.mirror else found


@dataclass(frozen=True, eq=False)
class _Diet:
    """What a network is trained on.

    Attributes:
        epochs: times that each known release is seen.
        shift: largest shift in pixels; None: round, to any place.
    """

    aux: InferenceAux
    view: _View
    epochs: int
    shift: int | None

    @abstractmethod
    def trained(self, share: float) -> ImageOnly:
        """A network, trained for a share of the epochs."""

    def _trained(self, first: Tensor, known: Tensor, epochs: int, shift: int, renewed: Renewed | None) -> ImageOnly:
        aux = self.aux
        training = aux.training.model_copy(update={"epochs": epochs, "average": _MEMORY})
        network = ImageOnly(aux.new_classifier(first.shape[1], aux.classes))
        flip = aux.mirror and training.flip

        def loss_of(shown: Tensor, known: Tensor, generator: torch.Generator) -> Tensor:
            shown, _ = shift_and_flip(shown, None, padding=shift, flip=flip, generator=generator)
            return F.cross_entropy(network(image_batch(shown), None), known)

        minimise(
            network,
            loss_of,
            (first, known),
            training=training,
            seed=aux.seed,
            device=aux.device,
            progress=aux.progress,
            renewed=renewed,
        )
        return network


class _Stored(_Diet):
    """The releases that the attacker has of its pictures; shifted as they are."""

    def trained(self, share: float) -> ImageOnly:
        known = self.aux.train
        return self._trained(
            self.view.of(known.release), known.known_labels, max(1, round(share * self.epochs)), self.shift or 0, None
        )


class _Fresh(_Diet):
    """A new release for every epoch, of pictures that were shifted before; first the pictures themselves.

    What there is to see is learned sooner where nothing hides it.
    """

    def trained(self, share: float) -> ImageOnly:
        known, release = self.aux.train, self.aux.release
        assert release is not None
        count = len(known.release) // known.copies
        pictures, labels = known.raw_bytes[:count], known.known_labels[:count]
        generator = torch.Generator().manual_seed(self.aux.seed)
        epochs = max(1, round(share * self.epochs * known.copies))
        plain = round(_PLAIN * epochs)

        def renewed(epoch: int) -> tuple[Tensor, Tensor]:
            moved = shifted(pictures, self.shift, generator)
            planes = self.view.of_whole(moved) if epoch < plain else self.view.of(release(moved, epoch))
            return planes, labels

        return self._trained(renewed(0)[0], labels, epochs, 0, renewed)


def shifted(pictures: Tensor, most: int | None, generator: torch.Generator) -> Tensor:
    """Shift each picture along each axis, by itself.

    Args:
        pictures: (N, C, H, W).
        most: so many pixels, and what comes in from outside is mirrored; None: round, to any place.
    """
    count, _, height, width = pictures.shape
    rows, columns = (_places(count, side, most, generator) for side in (height, width))
    down = pictures.gather(2, rows[:, None, :, None].expand_as(pictures))
    return down.gather(3, columns[:, None, None, :].expand_as(pictures))


def _places(count: int, side: int, most: int | None, generator: torch.Generator) -> Tensor:
    """The places along an axis that the pixels of each picture come from: int64 (count, side)."""
    if most is None:
        return (torch.randint(side, (count, 1), generator=generator) + torch.arange(side)) % side
    places = (torch.randint(-most, most + 1, (count, 1), generator=generator) + torch.arange(side)).abs()
    return torch.where(places < side, places, 2 * (side - 1) - places)
