"""Attacks on components, in small worlds whose leak is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from inference_cases import CPU, TRAINING, World, accuracy, aux_of
from maskbench import InferenceAttack, Known, Release
from maskbench.attacks._coordinates import whole_pictures
from maskbench.attacks.convolutional import Convolutional, shifted
from maskbench.attacks.gaussian import Gaussian
from maskbench.attacks.linear import Linear
from maskbench.attacks.local_statistics import LocalStatistics
from maskbench.attacks.mlp import Mlp
from maskbench.attacks.nearest import Nearest
from maskbench.attacks.pattern_mixture import PatternMixture
from maskbench.attacks.transductive import Transductive
from maskbench.release import as_floats

ON_COMPONENTS = (Linear(), Gaussian(), Mlp(), Nearest(), Transductive())


def _named(attacks: tuple[InferenceAttack, ...]) -> list[object]:
    return [pytest.param(attack, id=attack.name) for attack in attacks]


@pytest.mark.parametrize("attack", _named(ON_COMPONENTS))
def test_a_faint_pattern_over_the_whole_picture_is_read(attack: InferenceAttack) -> None:
    assert accuracy(attack, World("linear", 0.1)) > 0.8


@pytest.mark.parametrize("attack", _named((*ON_COMPONENTS, LocalStatistics(), PatternMixture())))
def test_of_nothing_nothing_is_read(attack: InferenceAttack) -> None:
    assert accuracy(attack, World("nothing")) < 0.33


def test_a_pattern_with_an_unknown_sign_is_read_by_who_is_not_linear() -> None:
    world = World("sign", 0.15)
    aux = aux_of(world)
    assert accuracy(Linear(), world, aux) < 0.4
    assert accuracy(Nearest(), world, aux) > 0.9
    assert accuracy(PatternMixture(), world, aux) > 0.9


@pytest.mark.slow
def test_a_pattern_at_an_unknown_place_is_read_by_a_network_that_shares_weights() -> None:
    world = World("shift", 0.4, hidden=0.0)
    aux = aux_of(world, training=TRAINING.model_copy(update={"epochs": 12}))
    assert accuracy(Linear(), world, aux) < 0.4
    assert accuracy(Convolutional(passes=1), world, aux) > 0.8


def test_a_pattern_at_an_unknown_place_is_found() -> None:
    world = World("shift", 0.4, hidden=0.5)
    aux = aux_of(world)
    assert accuracy(PatternMixture(components=20), world, aux) > 0.7
    assert accuracy(Linear(), world, aux) < 0.4


def test_what_a_pattern_looks_like_in_a_release_is_seen_by_releasing_it() -> None:
    """Without a way to run the method, there is nothing to go by, and the prior is answered."""
    world = World("sign", 0.15, hidden=0.0)
    blind = aux_of(world)
    assert not PatternMixture().with_state(PatternMixture().fit(blind)).infer(blind.train.release, CPU).std(0).any()
    aux = replace(blind, release=lambda pictures, draw: Release(as_floats(pictures)))
    assert accuracy(PatternMixture(), world, aux) > 0.9


@pytest.mark.parametrize("hidden", [0.75, 0.0])
def test_a_texture_is_read_wherever_it_is_kept(hidden: float) -> None:
    world = World("texture", 0.08, hidden)
    aux = aux_of(world)
    assert accuracy(LocalStatistics(), world, aux) > 0.7
    assert accuracy(Linear(), world, aux) < 0.4


def test_fresh_releases_are_made_of_shifted_pictures() -> None:
    pictures = torch.arange(2 * 3 * 4, dtype=torch.uint8).view(2, 1, 3, 4)
    generator = torch.Generator().manual_seed(0)
    assert torch.equal(shifted(pictures, 0, generator), pictures)
    around = shifted(pictures, None, generator)
    for one, other in zip(around, pictures, strict=True):
        rolled = [other.roll((down, right), (1, 2)) for down in range(3) for right in range(4)]
        assert sum(torch.equal(one, each) for each in rolled) == 1
    seen = {tuple(shifted(pictures[:1], 1, generator)[0, 0, 1].tolist()) for _ in range(60)}
    # The middle row may come from each row, and its columns from one to the left, the same, or one to the right.
    assert len(seen) == 9
    assert (5, 4, 5, 6) in seen and (5, 6, 7, 6) in seen


@pytest.mark.slow
def test_a_network_is_given_fresh_releases_where_the_method_can_be_run() -> None:
    world = World("linear", 0.15, hidden=0.0)
    draws: list[int] = []

    def release(pictures: torch.Tensor, draw: int) -> Release:
        draws.append(draw)
        return Release(as_floats(pictures))

    aux = replace(aux_of(world, training=TRAINING.model_copy(update={"epochs": 6})), release=release)
    assert accuracy(Convolutional(passes=2), world, aux) > 0.6
    assert {1, 2} <= set(draws)


@pytest.mark.parametrize("attack", _named(ON_COMPONENTS))
def test_what_only_the_owner_has_raw_is_read_from_what_was_released(attack: InferenceAttack) -> None:
    world = World("linear", 0.15, hidden=0.5)
    assert accuracy(attack, world, aux_of(world, raw=False)) > 0.8


def test_pictures_that_come_again_count_once() -> None:
    aux = aux_of(World("linear"), count=30)
    known = aux.train
    kept = known.release.kept.repeat(3, 1, 1, 1)
    again = Known(
        known.raw_images.repeat(3, 1, 1, 1),
        Release(known.release.images.repeat(3, 1, 1, 1), kept),
        known.known_labels.repeat(3),
    )
    once, three = (whole_pictures(type(aux)(**{**vars(aux), "train": train})) for train in (known, again))
    assert all(torch.equal(one, other) for one, other in zip(once, three, strict=True))
