"""How alike pictures are over the pixels that both show, against the same in a loop."""

from __future__ import annotations

import pytest
import torch
from maskbench import Release
from maskbench.attacks.matching import VisiblePixels
from tiny import CPU
from torch import Tensor

_generator = torch.Generator().manual_seed(0)


def drawn(count: int, masked: bool) -> Release:
    pictures = torch.randint(0, 256, (count, 3, 8, 6), dtype=torch.uint8, generator=_generator)
    masks = (torch.rand(count, 1, 8, 6, generator=_generator) < 0.3).to(torch.uint8) if masked else None
    return Release.of_bytes(pictures if masks is None else pictures * masks, masks)


def one_by_one(release: Release, candidates: Release) -> Tensor:
    found = torch.empty(len(release), len(candidates))
    for i in range(len(release)):
        for j in range(len(candidates)):
            both = torch.ones(1, 8, 6, dtype=torch.bool)
            for each, place in ((release, i), (candidates, j)):
                both &= True if each.masks is None else each.masks[place] == 1
            difference = (release.images[i] - candidates.images[j])[both.expand(3, 8, 6)]
            found[i, j] = -difference.square().mean()
    return found


@pytest.mark.parametrize("of_release", [True, False])
@pytest.mark.parametrize("of_candidates", [True, False])
def test_it_is_the_mean_over_what_both_show(of_release: bool, of_candidates: bool) -> None:
    release, candidates = drawn(4, of_release), drawn(5, of_candidates)
    found = VisiblePixels().matched(release, candidates, CPU)
    assert torch.allclose(found, one_by_one(release, candidates), atol=1e-6)


def test_what_shows_nothing_in_common_is_least_alike() -> None:
    left = torch.zeros(1, 1, 8, 6, dtype=torch.uint8)
    left[..., :3] = 1
    pictures = torch.zeros(1, 3, 8, 6, dtype=torch.uint8)
    found = VisiblePixels().matched(Release.of_bytes(pictures, left), Release.of_bytes(pictures, 1 - left), CPU)
    assert found.item() == -1


@pytest.mark.cuda
def test_scores_are_the_same_on_both_devices() -> None:
    release, candidates = drawn(20, True), drawn(30, False)
    here, there = (VisiblePixels().matched(release, candidates, torch.device(name)) for name in ("cpu", "cuda"))
    assert torch.equal(here, there)
