"""The nearest of the attacker's own pictures: over kept pixels, or among releases; the right one where it is there."""

from __future__ import annotations

import pytest
import torch
from maskbench import Aux, Known, Release
from maskbench.attacks.gallery import Gallery
from maskbench.training.settings import RESTORATION
from restoration_cases import CPU
from torch import Tensor
from torch.nn import functional as F


def pictures(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 16, 16), generator=generator).float() / 255


def masked(raw: Tensor) -> Release:
    kept = (torch.rand(len(raw), 1, 16, 16, generator=torch.Generator().manual_seed(1)) < 0.25).float()
    return Release(raw * kept, kept)


def coarse(raw: Tensor) -> Release:
    means = F.avg_pool2d(raw, 4).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    return Release(means.mul(255).round() / 255)


def learned(attack: Gallery, raw: Tensor, release: Release, mirror: bool = False) -> Gallery:
    first, rest = slice(None, 40), slice(40, None)
    return attack.with_state(
        attack.fit(
            Aux(
                train=Known(raw[first], release.select(first)),
                validation=Known(raw[rest], release.select(rest)),
                training=RESTORATION,
                mirror=mirror,
                seed=0,
                device=CPU,
            )
        )
    )


@pytest.mark.parametrize("releasing", [masked, coarse])
@pytest.mark.parametrize("mirror", [False, True])
def test_who_is_in_the_gallery_is_found(releasing: object, mirror: bool) -> None:
    raw = pictures(60)
    assert callable(releasing)
    attack = learned(Gallery(neighbours=1), raw, releasing(raw), mirror)
    asked = raw[3:9].flip(-1) if mirror else raw[3:9]
    assert torch.equal(attack.restored(releasing(asked), CPU), asked)


def test_several_are_averaged_where_nobody_is() -> None:
    """Of noise that is in no gallery, the mean is the best guess; of pictures that are, one alone."""
    raw = pictures(60)
    assert int(learned(Gallery(), raw, masked(raw)).state["neighbours"]) == 32
    known = raw.clone()
    known[40:] = raw[:20]
    assert int(learned(Gallery(), known, masked(known)).state["neighbours"]) == 1


def test_more_neighbours_than_pictures_are_all_of_them() -> None:
    raw = pictures(50)
    attack = learned(Gallery(neighbours=1000), raw, coarse(raw))
    found = attack.restore(coarse(pictures(2, seed=4)), CPU)
    assert torch.allclose(found, raw[:40].mean(0).expand_as(found), atol=1e-5)


def test_hidden_pixels_are_not_looked_at() -> None:
    raw = pictures(60)
    attack = learned(Gallery(), raw, masked(raw))
    release = masked(pictures(5, seed=2))
    other = Release(torch.where(release.kept == 1, release.images, 1.0), release.kept)
    assert torch.equal(attack.restore(release, CPU), attack.restore(other, CPU))


@pytest.mark.cuda
def test_cuda_chooses_as_the_cpu() -> None:
    raw = pictures(60)
    attack = learned(Gallery(neighbours=4), raw, masked(raw))
    release = masked(pictures(9, seed=2))
    assert torch.equal(attack.restore(release, CPU), attack.restore(release, torch.device("cuda")))
