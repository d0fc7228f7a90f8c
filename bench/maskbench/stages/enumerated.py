"""What a release shows of pictures of a finite world: found out by releasing every picture that there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from maskbench.errors import Unavailable
from maskbench.plugins.given import Attribution
from maskbench.release import Release
from maskbench.stages.batched_release import in_batches
from maskbench.stages.released_again import handed_out
from maskbench.stages.seen import Shown
from maskbench.worlds.enumeration import KeptPixels, LaplaceNoise, Likelihoods, Same
from maskbench.worlds.finite import Finite
from maskbench.worlds.gaussian import Kept
from maskbench.worlds.laplace import Noisy
from maskbench.worlds.mixture import LEVELS

Explained = Callable[[Tensor], Mapping[Attribution, Tensor]]
"""Pictures, uint8 (N, 1, H, W) → what the owner's teachers attribute, by request."""

_TIED = 0.1  # share of the pictures in which chance may break ties
_DRAWS = 32  # of the release of those
_BY_CHANCE = "the optimum is not known: the release depends on the picture and on chance"
_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Enumerated:
    """Pictures of one of the owner's splits, and what was released of them.

    Attributes:
        world: what they are drawn from.
        shown: the pictures and their release.
        explained: what the method requests.
    """

    world: Finite
    shown: Shown
    explained: Explained

    def likelihoods(self) -> tuple[Likelihoods, Likelihoods | None]:
        """Those of the release, and of its masks alone; the latter None where they tell nothing, or there are none.

        Raises:
            Unavailable: the release depends on the picture and on chance, in a way that is not known.
        """
        shown = self.shown
        again = self._released(shown.raw_bytes, shown.numbers, shown.labels, self.explained(shown.raw_bytes), 1)
        if float((_as_rows(again) != _as_rows(self._own)).any(1).double().mean()) <= _TIED:
            return self._function()
        if shown.method.requests():
            raise Unavailable(_BY_CHANCE)
        seen = shown.seen()
        pictures = torch.from_numpy(self.world.pictures)
        if isinstance(seen, Kept):
            return KeptPixels(pictures, shown.release.image_bytes.flatten(1), seen.kept), None
        if isinstance(seen, Noisy):
            return LaplaceNoise(pictures.double() / LEVELS @ seen.matrix.T, seen.values, seen.scale), None
        raise Unavailable(_BY_CHANCE)

    @property
    def _own(self) -> Release:
        """The owner's, as it was handed out."""
        return handed_out(self.shown.method, self.shown.release)

    def _function(self) -> tuple[Likelihoods, Likelihoods | None]:
        """Of releases that follow from the picture, and from its task label where that is known; but for ties."""
        shown, raw = self.shown, self.shown.raw_bytes
        pictures = torch.from_numpy(self.world.pictures).view(-1, *raw.shape[1:])
        tasks = range(1 if shown.labels is None else self.world.joint.shape[2])
        every = [self._draws(pictures, None if shown.labels is None else task) for task in tasks]
        row = torch.zeros_like(shown.numbers) if shown.labels is None else shown.labels
        release = _same(_as_rows(self._own), [[_as_rows(draw) for draw in draws] for draws in every], row)
        if not bool(release.possible(_places(raw.flatten(1), pictures.flatten(1))).all()):
            raise Unavailable("the optimum is not known: made again, the release of a picture is another one")
        masks = self._own.mask_bytes
        if masks is None:
            return release, None
        return release, _same(masks.flatten(1), [[draw.kept_bytes.flatten(1) for draw in each] for each in every], row)

    def _draws(self, pictures: Tensor, task: int | None) -> list[Release]:
        """The release of every picture; where chance breaks ties in some of them, several."""
        numbers = torch.arange(len(pictures))
        labels = None if task is None else torch.full_like(numbers, task)
        answers = self.explained(pictures)
        first, other = (self._released(pictures, numbers, labels, answers, more) for more in (0, 1))
        tied = (_as_rows(first) != _as_rows(other)).any(1)
        if not bool(tied.any()):
            return [first]
        if float(tied.double().mean()) > _TIED:
            raise Unavailable(_BY_CHANCE)
        of_tied = {request: maps[tied] for request, maps in answers.items()}
        told = None if labels is None else labels[tied]
        draws = []
        for more in range(_DRAWS):
            again = self._released(pictures[tied], numbers[tied], told, of_tied, more)
            images = first.image_bytes.clone()
            images[tied] = again.image_bytes
            masks = None if first.mask_bytes is None else first.mask_bytes.clone()
            if masks is not None:
                masks[tied] = again.kept_bytes
            draws.append(Release.of_bytes(images, masks))
        return draws

    def _released(
        self,
        pictures: Tensor,
        numbers: Tensor,
        labels: Tensor | None,
        answers: Mapping[Attribution, Tensor],
        draw: int,
    ) -> Release:
        """Release pictures, uint8 (N, 1, H, W), as the owner does; masks that are withheld are left out.

        Args:
            draw: 0 has the random numbers of the owner's release.
        """
        seed = self.shown.release_seed + draw
        release = in_batches(self.shown.method, pictures, numbers, labels, answers, seed, _CPU)
        return handed_out(self.shown.method, release)


def _as_rows(release: Release) -> Tensor:
    """All that a release shows of each picture: uint8 (N, bytes)."""
    images, masks = release.image_bytes.flatten(1), release.mask_bytes
    return images if masks is None else torch.cat([images, masks.flatten(1)], dim=1)


def _same(shown: Tensor, every: list[list[Tensor]], task: Tensor) -> Same:
    """Number rows of bytes, equal ones alike: (N, bytes), and (K, bytes) for each task label and draw."""
    most = max(map(len, every))
    draws = [each[place % len(each)] for each in every for place in range(most)]
    rows = np.ascontiguousarray(torch.cat([shown, *draws]).numpy())
    _, number = np.unique(rows.view([("", f"V{rows.shape[1]}")]), return_inverse=True)
    found = torch.from_numpy(number.reshape(-1))
    return Same(found[: len(shown)], found[len(shown) :].view(len(every), most, -1), task)


def _places(rows: Tensor, among: Tensor) -> Tensor:
    """Where rows of bytes stand among others, which are all different: int64 (N,)."""
    found = _same(rows, [[among]], torch.zeros(len(rows), dtype=torch.int64))
    number = found.every[0, 0]
    place = torch.empty(int(number.max()) + 1, dtype=torch.int64)
    place[number] = torch.arange(len(number))
    return place[found.shown]
