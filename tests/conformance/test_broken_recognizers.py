"""Every check of a recognizer finds the one that breaks it, and that one alone breaks nothing else."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from broken_alike import broken_alike
from maskbench import UsageError
from maskbench.conformance.recognizers import RECOGNIZER_CHECKS
from maskbench.conformance.suite import check, examine
from maskbench.models.architecture import Architecture
from maskbench.models.recognizer import Recognizer
from torch import Tensor, nn

_SEEN: list[int] = []


class Plain(Architecture):
    """Two convolutions: what those below do right."""

    name: ClassVar[str] = "plain"

    def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
        return Recognizer(
            nn.Sequential(nn.Conv2d(channels, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 8, 3, 2), *self.head(classes)),
            feature_layers=self.layers(),
            mean=[0.5] * channels,
            std=[0.25] * channels,
        )

    def head(self, classes: int) -> list[nn.Module]:
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)]

    def layers(self) -> list[str]:
        return ["network.0", "network.2"]


class OneClassTooMany(Plain):
    """A logit for nothing."""

    name: ClassVar[str] = "one-too-many"

    def head(self, classes: int) -> list[nn.Module]:
        return super().head(classes + 1)


class OnlySmall(Plain):
    """A head for images of 32 px."""

    name: ClassVar[str] = "only-small"

    def head(self, classes: int) -> list[nn.Module]:
        return [nn.Flatten(), nn.Linear(8 * 7 * 7, classes)]


class NoRecognizer(Plain):
    """A network that is not wrapped."""

    name: ClassVar[str] = "no-recognizer"

    def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> nn.Module:
        return super().build(channels=channels, classes=classes, size=size).network


class Misnamed(Plain):
    """A feature layer that is not there."""

    name: ClassVar[str] = "misnamed"

    def layers(self) -> list[str]:
        return ["network.0", "network.conv"]


class NoMap(Plain):
    """A feature layer whose output is no map."""

    name: ClassVar[str] = "no-map"

    def layers(self) -> list[str]:
        return ["network.0", "network.4"]


class Backwards(Plain):
    """Deep before shallow."""

    name: ClassVar[str] = "backwards"

    def layers(self) -> list[str]:
        return ["network.2", "network.0"]


class Unseeded(Plain):
    """Random numbers from nowhere."""

    name: ClassVar[str] = "unseeded"

    def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
        made = super().build(channels=channels, classes=classes, size=size)
        nn.init.normal_(made.network[0].weight, generator=torch.Generator().manual_seed(torch.seed() % 2**31))
        return made


class _OverBatch(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values - values.mean(dim=0, keepdim=True)


class MixesTheBatch(Plain):
    """Statistics over the batch, in evaluation mode too."""

    name: ClassVar[str] = "mixes-the-batch"

    def head(self, classes: int) -> list[nn.Module]:
        return [*super().head(classes), _OverBatch()]


class _Detached(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values.detach()


class Detached(Plain):
    """The head alone is trained."""

    name: ClassVar[str] = "detached"

    def head(self, classes: int) -> list[nn.Module]:
        return [_Detached(), *super().head(classes)]


class LeavesBehind(Plain):
    """What was built stays in a global."""

    name: ClassVar[str] = "leaves-behind"

    def head(self, classes: int) -> list[nn.Module]:
        _SEEN.append(classes)
        return super().head(classes)


BROKEN = {
    **broken_alike(Plain),
    OneClassTooMany: "logits",
    OnlySmall: "logits",
    NoRecognizer: "logits",
    Misnamed: "feature layers",
    NoMap: "feature layers",
    Backwards: "feature layers",
    Unseeded: "determinism",
    MixesTheBatch: "batch size",
    Detached: "gradients",
    LeavesBehind: "one party's state",
}


def test_the_plain_one_passes() -> None:
    assert check(Plain) == []


@pytest.mark.parametrize("plugin", BROKEN, ids=lambda plugin: plugin.__name__)
def test_a_broken_recognizer_is_caught_by_its_check_alone(plugin: type[Architecture]) -> None:
    failures = check(plugin)
    assert [failure.check for failure in failures] == [BROKEN[plugin]], failures
    assert failures[0].what_to_do


def test_every_check_has_its_broken_recognizer() -> None:
    assert {check.name for check in RECOGNIZER_CHECKS} - set(BROKEN.values()) == {"device"}


def test_a_size_may_be_refused_but_not_every_one() -> None:
    class Large(Plain):
        """From 64 px on."""

        name: ClassVar[str] = "large"
        smallest: int = 64

        def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
            if min(size) < self.smallest:
                raise UsageError(f"it needs {self.smallest} px")
            return super().build(channels=channels, classes=classes, size=size)

    report = examine(Large)
    assert report.failures == []
    assert {result.check.name: result.detail for result in report.results}["logits"] == (
        "it refuses some sizes: it needs 64 px"
    )
    assert [failure.check for failure in check(Large, {"smallest": 1000})] == ["logits"]
