"""Which candidate a release is of: by the pixels it shows, and by what the method makes of each candidate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from maskbench import MatchingAttack, MatchingAux, Release
from pydantic import Field
from torch import Tensor

_UNSEEN = -1.0  # of pictures that show no pixel in common; the largest squared difference is 1
_LEVELS = 255.0


class VisiblePixels(MatchingAttack):
    """The smallest squared difference, over the pixels that both show."""

    name: ClassVar[str] = "visible-pixels"
    source: ClassVar[str] = "maskbench"

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        return alike(release, candidates.image_bytes.double(), candidates.masks, device)


class ReleasedAgain(MatchingAttack):
    """The smallest difference to what the method, as the attacker fitted it, makes of each raw candidate.

    Squared or absolute, whichever finds more of the attacker's own pictures: absolute ones suit Laplace noise.
    """

    name: ClassVar[str] = "released-again"
    source: ClassVar[str] = "maskbench"
    questions = ("matching",)
    learns_from = "pairs"
    needs_method: ClassVar[bool] = True

    draws: int = Field(64, ge=1, description="releases of each candidate that are averaged, where they differ")

    def fit(self, aux: MatchingAux) -> Any:
        assert aux.release is not None, "it needs the method"
        made = self._mean(aux.release, torch.cat([aux.train.raw_bytes, aux.validation.raw_bytes]))
        shown = Release.of_bytes(torch.cat([aux.train.release.image_bytes, aux.validation.release.image_bytes]))
        absolute = max((False, True), key=lambda absolute: _found(_alike(shown, made, absolute, aux.device)))
        return aux.release, absolute

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        run, absolute = self.state
        return _alike(release, self._mean(run, candidates.image_bytes), absolute, device)

    def _mean(self, run: Callable[[Tensor, int], Release], pictures: Tensor) -> Tensor:
        """The mean of several releases of each picture: float64 (M, C, H, W), levels of 0 to 255."""
        first = run(pictures, 1).image_bytes
        means = first.double()
        for draw in range(2, self.draws + 1):
            made = run(pictures, draw).image_bytes
            if torch.equal(made, first):
                break
            means += (made - means) / draw
        return means


def alike(release: Release, pictures: Tensor, masks: Tensor | None, device: torch.device) -> Tensor:
    """Minus the mean squared difference over pixels that both show: float32 (N, M), from -1 to 0.

    Sums of whole levels are exact, so that equal pictures are told to be equal, in any batch and on any device.

    Args:
        pictures: float64 (M, C, H, W), levels of 0 to 255.
        masks: float32 (M, 1, H, W), 1 = shown; None: all is.
    """
    ours, theirs = release.image_bytes.to(device).double(), pictures.to(device)
    shown, known = _shown(release.masks, ours), _shown(masks, theirs)
    ours, theirs = ours * shown, theirs * known
    # Where all is shown, a sum stands for a product.
    all_shown, all_known = release.masks is None, masks is None
    squares = _over(ours.square().sum(1), known, all_known) + _over(theirs.square().sum(1), shown, all_shown).T
    squares -= 2 * ours.flatten(1) @ theirs.flatten(1).T
    count = ours.shape[1] * _over(shown[:, 0], known, all_known)
    found = torch.where(count > 0, -squares / count.clamp_min(1) / _LEVELS**2, _UNSEEN)
    return found.float().cpu()


def _alike(release: Release, pictures: Tensor, absolute: bool, device: torch.device) -> Tensor:
    """The same where all is shown, or minus the mean absolute difference: float32 (N, M)."""
    if not absolute:
        return alike(release, pictures, None, device)
    # Sums of whole levels are exact in float32, too: there are fewer than 2²⁴.
    ours, theirs = (levels.to(device).float().flatten(1) for levels in (release.image_bytes, pictures))
    return -(torch.cdist(ours, theirs, p=1) / ours.shape[1] / _LEVELS).cpu()


def _found(scores: Tensor) -> int:
    """How many of N releases have no candidate that is as like as their own: (N, N), in one order."""
    return int((scores >= scores.diagonal()[:, None]).sum(1).eq(1).sum())


def _shown(masks: Tensor | None, like: Tensor) -> Tensor:
    """1 where a pixel is shown: float64 (N, 1, H, W)."""
    return torch.ones_like(like[:, :1]) if masks is None else masks.to(like)


def _over(values: Tensor, masks: Tensor, everything: bool) -> Tensor:
    """Sums of values (N, H, W) over what each of masks (M, 1, H, W) shows: (N, M), or (N, 1) where that is all."""
    rows = values.flatten(1)
    return rows.sum(1, keepdim=True) if everything else rows @ masks.flatten(1).T
