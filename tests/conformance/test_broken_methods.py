"""Every check of a method finds the method that breaks it, and that method alone breaks nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from broken_methods import BROKEN, MixesTheBatch, Negative, Unseeded
from maskbench import Attribution, Given, Method, Owner, Release
from maskbench.conformance.methods import METHOD_CHECKS
from maskbench.conformance.suite import check, examine
from torch import Tensor


def test_the_good_one_passes() -> None:
    assert check(Negative) == []


@pytest.mark.parametrize("plugin", BROKEN, ids=lambda plugin: plugin.__name__)
def test_a_broken_method_is_caught_by_its_check_alone(plugin: type[Method]) -> None:
    failures = check(plugin)
    assert [failure.check for failure in failures] == [BROKEN[plugin]], failures
    assert failures[0].message
    assert failures[0].what_to_do


def test_every_check_has_its_broken_method() -> None:
    # The judge is asked only where every other check passes, and the GPU where there is one.
    assert {check.name for check in METHOD_CHECKS} - set(BROKEN.values()) == {"judge", "device"}


def test_all_failures_come_in_one_message() -> None:
    class Twice(MixesTheBatch):
        name: ClassVar[str] = "Twice"

        def fit(self, owner: Owner) -> Any:
            return [owner]

    assert [failure.check for failure in check(Twice)] == ["name", "documented", "fit", "batch size"]


def test_a_crash_is_named_with_its_place() -> None:
    class Crashes(Negative):
        """It does not run at all."""

        name: ClassVar[str] = "crashes"

        def desensitize(self, images: Tensor, given: Given) -> Release:
            raise ZeroDivisionError("by zero")

    report = examine(Crashes)
    assert [failure.check for failure in report.failures] == ["release"]
    assert "ZeroDivisionError: by zero" in report.failures[0].message
    assert "test_broken_methods.py" in report.failures[0].message
    assert {result.detail for result in report.results if result.check.name == "sizes"} == {
        "nothing to look at: mend 'release' first"
    }


def test_training_labels_may_be_used_and_it_is_said() -> None:
    class ByLabel(Negative):
        """Training images of label 0 are released black."""

        name: ClassVar[str] = "by-label"

        def desensitize(self, images: Tensor, given: Given) -> Release:
            negative = 1 - images
            return Release(negative if given.labels is None else negative * (given.labels[:, None, None, None] > 0))

    report = examine(ByLabel)
    assert report.failures == []
    assert any("labels of training images" in result.detail for result in report.results)


def test_an_attribution_that_does_not_exist_is_named() -> None:
    class Asks(Negative):
        """A request with a typo."""

        name: ClassVar[str] = "asks"

        def requests(self) -> tuple[Attribution, ...]:
            return (Attribution("grad-cat"),)

    failures = check(Asks)
    assert [failure.check for failure in failures] == ["declarations"]
    assert "did you mean 'grad-cam'" in failures[0].message


def test_what_cannot_run_here_is_not_checked_and_says_why() -> None:
    class Elsewhere(Unseeded):
        """It needs something that is not here."""

        name: ClassVar[str] = "elsewhere"

        def unavailable(self) -> str | None:
            return "pip install something"

    report = examine(Elsewhere)
    assert report.failures == []
    assert "pip install something" in {result.check.name: result for result in report.results}["determinism"].detail


def test_what_only_the_sealed_judge_refuses_is_found_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    from maskbench import ContractViolation
    from maskbench.plugins import judging

    def refuse(*arguments: Any) -> None:
        raise ContractViolation("a rule of tomorrow")

    monkeypatch.setattr(judging, "release", refuse)
    assert [(failure.check, failure.message) for failure in check(Negative)] == [("judge", "a rule of tomorrow")]


@pytest.mark.cuda
def test_a_method_that_forgets_the_device_is_caught() -> None:
    class OnTheCpu(Negative):
        """A constant that stays on the CPU."""

        name: ClassVar[str] = "on-the-cpu"

        def desensitize(self, images: Tensor, given: Given) -> Release:
            return Release((1 - images) * torch.linspace(0, 1, images.shape[3]))

    assert [failure.check for failure in check(OnTheCpu)] == ["device"]
