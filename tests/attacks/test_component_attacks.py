"""Attacks on components, in small worlds whose leak is known."""

from __future__ import annotations

import pytest
import torch
from inference_cases import TRAINING, World, accuracy, aux_of
from maskbench import InferenceAttack, Known, Release
from maskbench.attacks._coordinates import whole_pictures
from maskbench.attacks.convolutional import Convolutional
from maskbench.attacks.gaussian import Gaussian
from maskbench.attacks.linear import Linear
from maskbench.attacks.mlp import Mlp
from maskbench.attacks.nearest import Nearest
from maskbench.attacks.transductive import Transductive

ON_COMPONENTS = (Linear(), Gaussian(), Mlp(), Nearest(), Transductive())


def _named(attacks: tuple[InferenceAttack, ...]) -> list[object]:
    return [pytest.param(attack, id=attack.name) for attack in attacks]


@pytest.mark.parametrize("attack", _named(ON_COMPONENTS))
def test_a_faint_pattern_over_the_whole_picture_is_read(attack: InferenceAttack) -> None:
    assert accuracy(attack, World("linear", 0.1)) > 0.8


@pytest.mark.parametrize("attack", _named(ON_COMPONENTS))
def test_of_nothing_nothing_is_read(attack: InferenceAttack) -> None:
    assert accuracy(attack, World("nothing")) < 0.33


def test_a_pattern_with_an_unknown_sign_is_read_by_who_is_not_linear() -> None:
    world = World("sign", 0.15)
    aux = aux_of(world)
    assert accuracy(Linear(), world, aux) < 0.4
    assert accuracy(Nearest(), world, aux) > 0.9


@pytest.mark.slow
def test_a_pattern_at_an_unknown_place_is_read_by_a_network_that_shares_weights() -> None:
    world = World("shift", 0.4, hidden=0.0)
    aux = aux_of(world, training=TRAINING.model_copy(update={"epochs": 12}))
    assert accuracy(Linear(), world, aux) < 0.4
    assert accuracy(Convolutional(passes=1), world, aux) > 0.8


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
