"""What a restoration attack that learns from pairs may ask for: its training pictures, released again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import torch
from maskbench import Aux, LearnsFrom, Release, RestorationAttack
from maskbench.plugins.catalogue import catalogue
from tiny import run, tiny
from torch import Tensor


class Asking(RestorationAttack):
    """Asks for four more releases, and restores nothing."""

    name: ClassVar[str] = "asking"
    learns_from: ClassVar[LearnsFrom] = "pairs"

    got: ClassVar[list[tuple[Aux, list[Release]]]] = []

    def fit(self, aux: Aux) -> Any:
        self.got.append((aux, [] if aux.again is None else [aux.again(epoch) for epoch in (1, 2, 3, 4, 1)]))

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images


class AskingNothing(Asking):
    """Learns from raw pictures alone."""

    name: ClassVar[str] = "asking-nothing"
    learns_from: ClassVar[LearnsFrom] = "raw"


@pytest.fixture
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    plugins = {("attack", each.name): each for each in (Asking, AskingNothing)}
    catalogue().found.update(plugins)

    def of(method: str, attack: str = "asking") -> tuple[Aux, list[Release]]:
        Asking.got.clear()
        settings = {
            "scored": 16,
            "draws": 3,
            **{name: {"epochs": 1} for name in ("recognition", "attack", "restoration")},
        }
        suite = tiny(
            (method,), (attack,), data={"source": "digits", "limit": 120, "size": 16}, seeds=1, settings=settings
        )
        _, log = run(suite, tmp_path_factory.mktemp("store"))
        assert not log.outcomes["failed"]
        return Asking.got[-1]

    yield of
    for key in plugins:
        del catalogue().found[key]


def _kept(release: Release) -> Tensor:
    masks = release.mask_bytes
    assert masks is not None
    return masks


def test_masks_are_drawn_anew_for_every_epoch(asked: Any) -> None:
    aux, releases = asked("random:patch=4,ratio=0.5")
    raw = aux.train.raw_bytes
    masks = [_kept(aux.train.release), *map(_kept, releases)]
    for release in releases:
        assert torch.equal(release.image_bytes, raw * _kept(release))
    assert torch.equal(masks[1], masks[5]), "the same epoch is the same release"
    assert all(not torch.equal(masks[one], masks[other]) for one in range(5) for other in range(one))


def test_a_method_that_follows_attributions_has_as_many_as_the_settings_say(asked: Any) -> None:
    aux, releases = asked("saliency:patch=4,ratio=0.5")
    masks = [_kept(aux.train.release), *map(_kept, releases)]
    assert torch.equal(masks[3], masks[0]), "after the two others, the first again"
    assert torch.equal(masks[4], masks[1])
    assert not torch.equal(masks[1], masks[2])


def test_what_is_always_the_same_is_not_made_again(asked: Any) -> None:
    assert asked("pixelate")[0].again is None


def test_it_is_offered_to_attacks_that_learn_from_pairs(asked: Any) -> None:
    assert asked("random:patch=4,ratio=0.5", "asking-nothing")[0].again is None
