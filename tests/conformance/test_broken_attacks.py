"""Every check of an attack finds the attack that breaks it, and that attack alone breaks nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from maskbench import Attack, Aux, InferenceAttack, InferenceAux, MatchingAttack, Release, RestorationAttack
from maskbench.conformance.attacks import ATTACK_CHECKS
from maskbench.conformance.suite import check, examine
from pydantic import Field, PrivateAttr
from torch import Tensor

_REMEMBERED: dict[str, Tensor] = {}


class Shown(RestorationAttack):
    """What the release shows: what the attacks below do right."""

    name: ClassVar[str] = "shown"

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images


class Loud(Shown):
    """A name with a blank."""

    name: ClassVar[str] = "two words"


class Unsourced(Shown):
    """No source."""

    name: ClassVar[str] = "unsourced"
    source: ClassVar[str] = ""


class NoDefault(Shown):
    """A default that its own bounds rule out."""

    name: ClassVar[str] = "no-default"
    size: int = Field(0, ge=1)


class HalfAnAnswer(Shown):
    """One image of all."""

    name: ClassVar[str] = "half-an-answer"

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images * 2


class Overwrites(Shown):
    """The release is the answer's buffer."""

    name: ClassVar[str] = "overwrites"

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images.mul_(0.5)


class OverwritesAux(Shown):
    """Fit scribbles into the raw pictures."""

    name: ClassVar[str] = "overwrites-aux"

    def fit(self, aux: Aux) -> Any:
        aux.train.raw.zero_()


class Unseeded(Shown):
    """Random numbers from the machine."""

    name: ClassVar[str] = "unseeded"

    def restore(self, release: Release, device: torch.device) -> Tensor:
        generator = torch.Generator()
        generator.seed()
        return torch.rand(release.images.shape, generator=generator)


class MixesTheBatch(Shown):
    """Each image depends on the others."""

    name: ClassVar[str] = "mixes-the-batch"

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images.mean(dim=0, keepdim=True).expand_as(release.images)


class LeavesBehind(Shown):
    """The first party's mean stays in a global."""

    name: ClassVar[str] = "leaves-behind"

    def fit(self, aux: Aux) -> Any:
        return _REMEMBERED.setdefault("mean", aux.train.raw.mean())


class KeepsInItself(Shown):
    """The first party's mean stays in the instance."""

    name: ClassVar[str] = "keeps-in-itself"
    _own: dict[str, Tensor] = PrivateAttr(default_factory=dict)

    def fit(self, aux: Aux) -> Any:
        return self._own.setdefault("mean", aux.train.raw.mean())

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return self.state.expand_as(release.images)


class WantsMasks(Shown):
    """Masks are needed and it is not said."""

    name: ClassVar[str] = "wants-masks"

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images * release.masks


class WantsRaw(InferenceAttack):
    """It learns from raw pictures, which may be the owner's."""

    name: ClassVar[str] = "wants-raw"

    def fit(self, aux: InferenceAux) -> Any:
        return aux.train.raw.mean(), aux.classes

    def infer(self, release: Release, device: torch.device) -> Tensor:
        mean, classes = self.state
        return (release.images - mean).mean(dim=(1, 2, 3))[:, None].expand(-1, classes)


class OnlySquare(Shown):
    """Height and width are confused."""

    name: ClassVar[str] = "only-square"

    def restore(self, release: Release, device: torch.device) -> Tensor:
        return release.images.transpose(2, 3)


class DividesByKept(Shown):
    """The mean of no pixel."""

    name: ClassVar[str] = "divides-by-kept"
    needs_masks: ClassVar[bool] = True

    def restore(self, release: Release, device: torch.device) -> Tensor:
        mean = release.images.sum(dim=(2, 3), keepdim=True) / release.masks.sum(dim=(2, 3), keepdim=True)
        return mean.expand_as(release.images)


class LearnsFromNoWord(Shown):
    """A word that nobody knows."""

    name: ClassVar[str] = "learns-from-no-word"
    learns_from: ClassVar[Any] = "pair"


class Misspelt(Shown):
    """A field that nobody reads."""

    name: ClassVar[str] = "misspelt"
    learn_from: ClassVar[str] = "pairs"


class NeedsInWords(Shown):
    """A text that is always true."""

    name: ClassVar[str] = "needs-in-words"
    needs_key: ClassVar[Any] = "no"


class FirstIsBest(MatchingAttack):
    """The first candidate is the best one, whichever it is."""

    name: ClassVar[str] = "first-is-best"

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        return -torch.arange(float(len(candidates))).repeat(len(release), 1)


class OverwritesCandidates(MatchingAttack):
    """Candidates are its buffer."""

    name: ClassVar[str] = "overwrites-candidates"

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        return -torch.cdist(release.images.flatten(1), candidates.images.mul_(0.5).flatten(1))


class AsksElse(FirstIsBest):
    """A question that nobody asks."""

    name: ClassVar[str] = "asks-else"
    questions: ClassVar[Any] = ("linking",)

    def match(self, release: Release, candidates: Release, device: torch.device) -> Tensor:
        return torch.zeros(len(release), len(candidates))


BROKEN = {
    Loud: "name",
    Unsourced: "documented",
    NoDefault: "parameters",
    LearnsFromNoWord: "declarations",
    Misspelt: "declarations",
    NeedsInWords: "declarations",
    HalfAnAnswer: "answer",
    Overwrites: "input",
    OverwritesAux: "input",
    Unseeded: "determinism",
    MixesTheBatch: "batch size",
    OverwritesCandidates: "input",
    AsksElse: "declarations",
    FirstIsBest: "candidates",
    LeavesBehind: "one party's state",
    KeepsInItself: "one party's state",
    WantsMasks: "without masks",
    WantsRaw: "nothing raw",
    OnlySquare: "sizes",
    DividesByKept: "all or nothing hidden",
}


def test_the_good_one_passes() -> None:
    assert check(Shown) == []


@pytest.mark.parametrize("plugin", BROKEN, ids=lambda plugin: plugin.__name__)
def test_a_broken_attack_is_caught_by_its_check_alone(plugin: type[Attack]) -> None:
    failures = check(plugin)
    assert [failure.check for failure in failures] == [BROKEN[plugin]], failures
    assert failures[0].what_to_do


def test_every_check_has_its_broken_attack() -> None:
    assert {check.name for check in ATTACK_CHECKS} - set(BROKEN.values()) == {"device"}


def test_all_failures_come_in_one_message() -> None:
    class Twice(MixesTheBatch):
        """Two mistakes."""

        name: ClassVar[str] = "twice"

        def fit(self, aux: Aux) -> Any:
            aux.train.release.images.zero_()

    assert [failure.check for failure in check(Twice)] == ["input", "batch size"]


def test_logits_of_another_number_of_classes_are_named() -> None:
    class Two(InferenceAttack):
        """Two classes, always."""

        name: ClassVar[str] = "two"

        def fit(self, aux: InferenceAux) -> Any:
            return None

        def infer(self, release: Release, device: torch.device) -> Tensor:
            return torch.zeros(len(release), 2)

    failures = check(Two)
    assert [failure.check for failure in failures] == ["answer"]
    assert "expected (4, 4)" in failures[0].message


def test_what_cannot_run_here_is_not_checked_and_says_why() -> None:
    class Elsewhere(Unseeded):
        """It needs weights."""

        name: ClassVar[str] = "elsewhere"

        def unavailable(self) -> str | None:
            return "no weights: get them"

    report = examine(Elsewhere)
    assert report.failures == []
    assert any(result.detail == "it cannot run here: no weights: get them" for result in report.results)
