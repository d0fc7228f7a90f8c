"""What the user names replaces what a suite says, or joins it where a ``+`` says so."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from maskbench import InferenceAttack, InferenceAux, Release, UsageError
from maskbench.planning.overrides import Overrides, all_typed
from maskbench.planning.suite import Suite, load
from torch import Tensor


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load("quick")


def test_what_is_named_replaces_the_suites(suite: Suite) -> None:
    changed = Overrides(attacks=["telea"], seeds=1, size=16).applied(suite)
    assert changed.attacks == ("telea",)
    assert changed.methods == suite.methods
    assert (changed.seeds, changed.data.size) == (1, 16)


def test_a_plus_adds_to_the_suites(suite: Suite) -> None:
    changed = Overrides(attacks=["+nearest:neighbours=3", "+gaussian-mean"], methods=["+blur:sigma=9"]).applied(suite)
    assert changed.attacks == (*suite.attacks, "nearest:neighbours=3", "gaussian-mean")
    assert changed.methods == (*suite.methods, "blur:sigma=9")


def test_a_class_of_a_notebook_joins_the_suites(suite: Suite) -> None:
    class Blind(InferenceAttack):
        """Says the same of every picture."""

        name: ClassVar[str] = "blind-beside"

        def fit(self, aux: InferenceAux) -> int:
            return aux.classes

        def infer(self, release: Release, device: torch.device) -> Tensor:
            return torch.zeros(len(release), self.state)

    assert Overrides(attacks=all_typed("attack", ["+", Blind])).applied(suite).attacks == (
        *suite.attacks,
        "blind-beside",
    )


@pytest.mark.parametrize(
    ("attacks", "message"),
    [
        (["telea", "+nearest"], r"telea would replace the suite's, and \+nearest is added.*\+ before each attack"),
        (["+telea"], r"has the attack telea already: leave \+telea out"),
    ],
)
def test_what_does_not_go_together_is_refused(suite: Suite, attacks: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Overrides(attacks=attacks).applied(suite)


def test_other_data_bring_their_own_labels(suite: Suite) -> None:
    told = Overrides(sensitive="digit", target="parity").applied(suite)
    assert Overrides(target="digit").applied(told).data.sensitive is None
    assert Overrides(source="cifar10").applied(told).data.target is None
