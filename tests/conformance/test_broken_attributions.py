"""Every check of an attribution finds the one that breaks it, and that one alone breaks nothing else."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from broken_alike import broken_alike
from maskbench.attributions.algorithm import Algorithm
from maskbench.conformance.attributions import ATTRIBUTION_CHECKS
from maskbench.conformance.suite import check
from maskbench.models.recognizer import Recognizer
from torch import Tensor

_SEEN: list[int] = []


class Plain(Algorithm):
    """The gradient, once: what those below do right."""

    name: ClassVar[str] = "plain"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        leaf = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(leaf).amax(dim=1).sum(), leaf)
        return gradient.abs().sum(dim=1, keepdim=True)


class ThreeChannels(Plain):
    """A score for every channel."""

    name: ClassVar[str] = "three-channels"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        return images


class Square(Plain):
    """Height for width."""

    name: ClassVar[str] = "square"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        return super().attribute(network, images, pass_size).transpose(2, 3)


class Infinite(Plain):
    """Divides by nothing."""

    name: ClassVar[str] = "infinite"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        return super().attribute(network, images, pass_size) / 0


class Overwrites(Plain):
    """The images are darker afterwards, and the score is that of black."""

    name: ClassVar[str] = "overwrites"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        return super().attribute(network, images.zero_(), pass_size)


class LeavesHooks(Plain):
    """A hook that stays."""

    name: ClassVar[str] = "leaves-hooks"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        network.network.register_forward_hook(lambda module, _, output: None)
        return super().attribute(network, images, pass_size)


class Unseeded(Plain):
    """Random numbers from the global generator."""

    name: ClassVar[str] = "unseeded"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        return super().attribute(network, images, pass_size) + float(torch.rand(()))


class MixesTheBatch(Plain):
    """Relative to the other images."""

    name: ClassVar[str] = "mixes-the-batch"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        scores = super().attribute(network, images, pass_size)
        return scores - scores.mean(dim=0, keepdim=True)


class TooManyAtOnce(Plain):
    """Sixteen variations of every image in one pass."""

    name: ClassVar[str] = "too-many-at-once"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        network(images.repeat(16, 1, 1, 1))
        return super().attribute(network, images, pass_size)


class LeavesBehind(Plain):
    """What was explained stays in a global."""

    name: ClassVar[str] = "leaves-behind"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        _SEEN.append(len(images))
        return super().attribute(network, images, pass_size)


BROKEN = {
    **broken_alike(Plain),
    ThreeChannels: "scores",
    Square: "scores",
    Infinite: "scores",
    Overwrites: "input",
    LeavesHooks: "input",
    Unseeded: "determinism",
    MixesTheBatch: "batch size",
    TooManyAtOnce: "pass size",
    LeavesBehind: "one party's state",
}


class Brightness(Algorithm):
    """The mean of the channels: it asks no network."""

    name: ClassVar[str] = "brightness"

    def attribute(self, network: Recognizer, images: Tensor, pass_size: int) -> Tensor:
        return images.mean(dim=1, keepdim=True)


@pytest.mark.parametrize("plugin", [Plain, Brightness])
def test_a_good_one_passes(plugin: type[Algorithm]) -> None:
    assert check(plugin) == []


@pytest.mark.parametrize("plugin", BROKEN, ids=lambda plugin: plugin.__name__)
def test_a_broken_attribution_is_caught_by_its_check_alone(plugin: type[Algorithm]) -> None:
    failures = check(plugin)
    assert [failure.check for failure in failures] == [BROKEN[plugin]], failures
    assert failures[0].what_to_do


def test_every_check_has_its_broken_attribution() -> None:
    assert {check.name for check in ATTRIBUTION_CHECKS} - set(BROKEN.values()) == {"device"}


def test_what_judges_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match=r"Algorithm\.explain"):

        class Cheat(Plain):
            """It judges itself."""

            name: ClassVar[str] = "cheat"

            def explain(self, *arguments: object) -> Tensor:
                return torch.zeros(1)
