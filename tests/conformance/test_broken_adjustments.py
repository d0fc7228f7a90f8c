"""Every check of a model adjustment finds the one that breaks it, and that one alone breaks nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import ClassVar

import pytest
import torch
from broken_alike import broken_alike
from maskbench import Adjustment, UsageError
from maskbench.conformance.adjustments import ADJUSTMENT_CHECKS
from maskbench.conformance.suite import check, examine
from maskbench.models.recognizer import Recognizer
from torch import Tensor, nn

_SEEN: list[int] = []


class _Module(nn.Module):
    """A recognizer behind a function of (recognizer, images, masks)."""

    def __init__(self, recognizer: nn.Module, call: Callable[[nn.Module, Tensor, Tensor | None], Tensor]) -> None:
        super().__init__()
        self.recognizer = recognizer
        self.call = call

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        return self.call(self.recognizer, images, masks)


def _plain(recognizer: nn.Module, images: Tensor, masks: Tensor | None) -> Tensor:
    return recognizer(images)


class Plain(Adjustment):
    """No adjustment: what those below do right."""

    name: ClassVar[str] = "plain"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return _Module(recognizer, _plain)


class Features(Plain):
    """The last weights are missing."""

    name: ClassVar[str] = "features"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return _Module(recognizer, lambda network, images, masks: network(images).mean(dim=1))


class OneSize(Plain):
    """A weight for each pixel of 32."""

    name: ClassVar[str] = "one-size"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        module = _Module(recognizer, lambda network, images, masks: network(images * module.weights))
        module.weights = nn.Parameter(torch.ones(32, 32))
        return module


class DividesByKept(Plain):
    """The mean of no pixel."""

    name: ClassVar[str] = "divides-by-kept"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        def scaled(network: nn.Module, images: Tensor, masks: Tensor | None) -> Tensor:
            share = 1.0 if masks is None else masks.mean(dim=(1, 2, 3), keepdim=True)
            return network(images / share)

        return _Module(recognizer, scaled)


class WantsMasks(Plain):
    """Masks are needed and it is not said."""

    name: ClassVar[str] = "wants-masks"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return _Module(recognizer, lambda network, images, masks: network(images * masks))


class HoldsACopy(Plain):
    """Another recognizer is trained than the one handed in."""

    name: ClassVar[str] = "holds-a-copy"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return _Module(copy.deepcopy(recognizer), _plain)


class Unseeded(Plain):
    """Noise at every call."""

    name: ClassVar[str] = "unseeded"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        return _Module(recognizer, lambda network, images, masks: network(images + torch.rand_like(images)))


class Overflows(Plain):
    """After a step of training the logits are not finite."""

    name: ClassVar[str] = "overflows"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        def steep(network: nn.Module, images: Tensor, masks: Tensor | None) -> Tensor:
            return network(images) + torch.log(1 - module.gate.abs())

        module = _Module(recognizer, steep)
        # Each of AdamW's steps moves a weight by about its learning rate, so it leaves the domain of the logarithm.
        module.gate = nn.Parameter(torch.full((4,), 0.9999))
        return module


class TrainsTheTeacher(Plain):
    """The owner's teacher is a part of it, and is trained along."""

    name: ClassVar[str] = "trains-the-teacher"
    needs_teacher: ClassVar[bool] = True

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        module = _Module(recognizer, lambda network, images, masks: network(images) + module.teacher(images))
        module.teacher = teacher
        return module


class LeavesBehind(Plain):
    """Every batch leaves its size in a global."""

    name: ClassVar[str] = "leaves-behind"

    def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
        _SEEN.append(1)
        return _Module(recognizer, _plain)


BROKEN = {
    **broken_alike(Plain),
    Features: "logits",
    OneSize: "sizes",
    DividesByKept: "all or nothing hidden",
    WantsMasks: "without masks",
    HoldsACopy: "gradients",
    Unseeded: "determinism",
    Overflows: "training",
    TrainsTheTeacher: "teacher",
    LeavesBehind: "one party's state",
}


def test_the_good_one_passes() -> None:
    assert check(Plain) == []


@pytest.mark.parametrize("plugin", BROKEN, ids=lambda plugin: plugin.__name__)
def test_a_broken_adjustment_is_caught_by_its_check_alone(plugin: type[Adjustment]) -> None:
    failures = check(plugin)
    assert [failure.check for failure in failures] == [BROKEN[plugin]], failures
    assert failures[0].what_to_do


def test_every_check_has_its_broken_adjustment() -> None:
    assert {check.name for check in ADJUSTMENT_CHECKS} - set(BROKEN.values()) == {"device"}


def test_all_failures_come_in_one_message() -> None:
    class Twice(WantsMasks):
        """Two mistakes."""

        name: ClassVar[str] = "twice"

        def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
            return super().wrap(copy.deepcopy(recognizer), teacher)

    assert [failure.check for failure in check(Twice)] == ["without masks", "gradients"]


def test_an_adjustment_may_say_why_it_needs_masks() -> None:
    class SaysWhy(Plain):
        """Masks are needed and it is said."""

        name: ClassVar[str] = "says-why"

        def wrap(self, recognizer: Recognizer, teacher: Recognizer | None) -> nn.Module:
            def call(network: nn.Module, images: Tensor, masks: Tensor | None) -> Tensor:
                if masks is None:
                    raise UsageError("there is nothing to adjust to")
                return network(images * masks)

            return _Module(recognizer, call)

    report = examine(SaysWhy)
    assert report.failures == []
    assert any(result.detail == "it says why not: there is nothing to adjust to" for result in report.results)
