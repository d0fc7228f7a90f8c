"""What attacks on components see: the factors of pictures, as far as a release shows them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from maskbench import InferenceAux, Release, content_numbers
from torch import Tensor

from ._factors import Factors

_LEAST = 1e-6  # spread of a coordinate below which it is the same everywhere


@dataclass(frozen=True)
class Coordinates:
    """Release → coordinates with mean 0 and variance 1 over what the attacker knows.

    Attributes:
        factors: the model of pictures.
        centre, spread: float32 (K,).
    """

    factors: Factors
    centre: Tensor
    spread: Tensor

    def of(self, release: Release) -> Tensor:
        """Coordinates of a release: float32 (N, K), on the model's device."""
        return (self.factors.coordinates(release) - self.centre) / self.spread


def learned(aux: InferenceAux, count: int) -> tuple[Coordinates, Tensor, Tensor]:
    """Learn coordinates from what an attacker knows.

    Args:
        count: components of the pictures.

    Returns:
        The coordinates; those of the known releases, mirrored ones included, float32 (N, K); their labels, int64 (N,).
        All on the attacker's device.
    """
    shown = mirrored(aux, aux.train.release)
    factors = Factors.fitted(whole_pictures(aux)[0].to(aux.device), count)
    found = factors.coordinates(shown)
    spread = found.std(0, correction=0)
    coordinates = Coordinates(factors, found.mean(0), torch.where(spread > _LEAST, spread, 1.0))
    labels = aux.train.known_labels.to(aux.device).repeat(len(shown) // len(aux.train.release))
    return coordinates, (found - coordinates.centre) / coordinates.spread, labels


def whole_pictures(aux: InferenceAux) -> tuple[Tensor, Tensor]:
    """Pictures like those that kept pixels are of, each once, and mirrored where that makes others like them.

    Raw ones where masks show parts of raw pictures that the attacker has, else what was released. Where nobody has
    what was hidden, it is filled with what others show there.

    Returns:
        float32 (N, C, H, W), and their labels, int64 (N,).
    """
    release = aux.train.release
    if release.masks is None:
        found = release.images
    elif aux.train.raw is not None:
        found = aux.train.raw
    else:
        kept = release.masks
        mean = (release.images * kept).sum(0) / kept.sum(0).clamp_min(1)
        found = torch.where(kept == 1, release.images, mean)
    once = _first_of_each(found)
    found, labels = found[once], aux.train.known_labels[once]
    return (torch.cat([found, found.flip(-1)]), labels.repeat(2)) if aux.mirror else (found, labels)


def mirrored(aux: InferenceAux, release: Release) -> Release:
    """A release and, where mirrored pictures are as good, its mirror image after it."""
    if not aux.mirror:
        return release
    masks = release.masks
    both = None if masks is None else torch.cat([masks, masks.flip(-1)])
    return Release(torch.cat([release.images, release.images.flip(-1)]), both)


def _first_of_each(pictures: Tensor) -> Tensor:
    """Positions of pictures that did not come before: who runs a method again has the same raw picture again."""
    numbers = content_numbers(Release(pictures))
    order = numbers.argsort(stable=True)
    first = torch.ones(len(order), dtype=torch.bool)
    first[1:] = numbers[order][1:] != numbers[order][:-1]
    return order[first].sort().values
