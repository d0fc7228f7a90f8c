"""Which candidate a release is of: by the pixels it shows, and by what the method makes of each candidate."""

from __future__ import annotations

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
    """The smallest squared difference to what the method, as the attacker fitted it, makes of each raw candidate."""

    name: ClassVar[str] = "released-again"
    source: ClassVar[str] = "maskbench"
    questions = ("matching",)
    needs_method: ClassVar[bool] = True

    draws: int = Field(8, ge=1, description="releases of each candidate that are averaged, where they differ")

    def fit(self, aux: MatchingAux) -> Any:
        return aux.release

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        first = self.state(candidates.image_bytes, 1)
        means = first.image_bytes.double()
        for draw in range(2, self.draws + 1):
            made = self.state(candidates.image_bytes, draw)
            if torch.equal(made.image_bytes, first.image_bytes):
                break
            means += (made.image_bytes - means) / draw
        return alike(release, means, None, device)


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


def _shown(masks: Tensor | None, like: Tensor) -> Tensor:
    """1 where a pixel is shown: float64 (N, 1, H, W)."""
    return torch.ones_like(like[:, :1]) if masks is None else masks.to(like)


def _over(values: Tensor, masks: Tensor, everything: bool) -> Tensor:
    """Sums of values (N, H, W) over what each of masks (M, 1, H, W) shows: (N, M), or (N, 1) where that is all."""
    rows = values.flatten(1)
    return rows.sum(1, keepdim=True) if everything else rows @ masks.flatten(1).T
