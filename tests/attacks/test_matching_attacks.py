"""Matching attacks on planted pictures: restorations that say something, and noise of two shapes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from maskbench import MatchingAux, Release, to_bytes
from maskbench.attacks.likelihood_ratio import LikelihoodRatioRestored
from maskbench.attacks.matching import ReleasedAgain
from maskbench.plugins.knowledge import Known
from maskbench.training.settings import RESTORATION
from tiny import CPU
from torch import Tensor
from torch.distributions import Laplace

COUNT, SIDE = 120, 6


def pictures(seed: int) -> Tensor:
    """Pictures of one smooth kind: their pixels go together."""
    drawn = torch.randn(COUNT, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.avg_pool2d(drawn, 3, 1, 1, count_include_pad=False)
    return (0.5 + 0.3 * smooth + 0.1 * drawn).clamp(0, 1)


def aux(train: Known, validation: Known, run: Callable[[Tensor, int], Release] | None = None) -> MatchingAux:
    given = {"training": RESTORATION, "mirror": False, "seed": 0, "device": CPU, "question": "matching"}
    return MatchingAux(train=train, validation=validation, release=run, **given)


def first(scores: Tensor) -> float:
    """Share of releases whose own candidate, at their place, alone is the most alike."""
    return float((scores >= scores.diagonal()[:, None]).sum(1).eq(1).float().mean())


def restored(raw: Tensor) -> Release:
    """A release that says nothing, with a pale and rough restoration, and one of the mean picture."""
    noise = torch.randn(raw.shape, generator=torch.Generator().manual_seed(1))
    pale = 0.5 + 0.25 * (raw - 0.5) + 0.03 * noise
    mean = raw.mean(0, keepdim=True).expand_as(raw)
    return Release(torch.full_like(raw, 0.5), None, {"a-mean": mean, "pale": pale.clamp(0, 1)})


def test_what_a_restoration_leaves_out_weighs_nothing() -> None:
    own, other, owner = pictures(2), pictures(3), pictures(4)
    attack = LikelihoodRatioRestored()
    attack = attack.with_state(attack.fit(aux(Known(own, restored(own)), Known(other, restored(other)))))
    assert attack.state[1] == "pale", "the mean has nothing in common with any picture"
    release = restored(owner)
    reached = first(attack.matched(release, Release(owner), CPU))
    plain = first(-torch.cdist(release.restorations["pale"].flatten(1), owner.flatten(1)))
    assert reached > 0.5 and reached > plain + 0.2, (reached, plain)


def test_where_no_restoration_says_anything_all_candidates_are_alike() -> None:
    own, other, owner = pictures(2), pictures(3), pictures(4)

    def nothing(raw: Tensor) -> Release:
        return Release(torch.zeros_like(raw), None, {"grey": torch.full_like(raw, 0.5)})

    attack = LikelihoodRatioRestored()
    attack = attack.with_state(attack.fit(aux(Known(own, nothing(own)), Known(other, nothing(other)))))
    scores = attack.matched(nothing(owner), Release(owner), CPU)
    assert torch.isfinite(scores).all() and len(scores.unique()) == 1


@pytest.mark.parametrize("shape", ["laplace", "gaussian"])
def test_the_shape_of_noise_says_which_differences_count(shape: str) -> None:
    def run(raw: Tensor, draw: int) -> Release:
        generator = torch.Generator().manual_seed(draw)
        noise = torch.randn(raw.shape, generator=generator)
        if shape == "laplace":
            share = torch.rand(raw.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
            noise = Laplace(0.0, 1.0).icdf(share)
        return Release.of_bytes(to_bytes((raw.float() / 255 * 0.4 + 0.3 + 0.12 * noise).clamp(0, 1)))

    own, other, owner = (to_bytes(pictures(seed)) for seed in (2, 3, 4))
    attack = ReleasedAgain()
    state = attack.fit(aux(Known(own, run(own, 1001)), Known(other, run(other, 1002)), run))
    assert state[1] is (shape == "laplace")
    release, candidates = run(owner, 1003), Release.of_bytes(owner)
    few = ReleasedAgain(draws=1).with_state(state)
    found, with_one = (first(each.matched(release, candidates, CPU)) for each in (attack.with_state(state), few))
    assert found > with_one + 0.1, "the mean of many releases is nearer than one of them"
