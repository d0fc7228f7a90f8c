"""Which attack runs against which method, on which label, with how much data; and why not."""

from __future__ import annotations

from typing import Any

import pytest
from maskbench.data.options import DataOptions
from maskbench.errors import UsageError
from maskbench.planning.applicability import (
    applies,
    attack_lacks,
    aux_shares,
    cannot_infer,
    inferred_labels,
    method_lacks,
    refuse_without_restorations,
)
from maskbench.planning.suite import Suite
from maskbench.plugins.attack import Attack
from maskbench.plugins.audited import audited
from maskbench.plugins.catalogue import create
from maskbench.plugins.names import parse
from tiny import tiny

SENSITIVE = DataOptions(source="digits", target="parity", sensitive="digit")
NONE_SENSITIVE = DataOptions(source="digits", target="digit")


def attack(name: str) -> Attack:
    return create("attack", name, {})


def suite(**changes: Any) -> Suite:
    return tiny(aux_shares=(0.25,), **changes)


@pytest.mark.parametrize(
    ("name", "method", "expected"),
    [
        ("telea", "random", True),
        ("telea", "pixelate", False),
        ("restorer", "pixelate", True),
        ("with-key", "scramble", False),
        ("with-key", "scramble:key=known", True),
        ("visible-pixels", "saliency", True),
        ("released-again", "pixelate", True),
        ("released-again", "random", False),
        ("inversion", "gaussian-blur", True),
        ("inversion", "random", False),
    ],
)
def test_attacks_on_masks_or_with_a_key_need_a_method_that_has_one(name: str, method: str, expected: bool) -> None:
    assert applies(attack(name), create("method", *parse(method))) is expected


@pytest.mark.parametrize(
    ("name", "options", "probe", "expected"),
    [
        ("telea", SENSITIVE, True, (None,)),
        ("adaptive", SENSITIVE, False, ("sensitive",)),
        ("adaptive", SENSITIVE, True, ("sensitive", "target")),
        ("adaptive", NONE_SENSITIVE, False, ("target",)),
        ("mask-only", SENSITIVE, False, ("sensitive", "target")),
        ("adaptive-with-task", SENSITIVE, True, ("sensitive",)),
        ("adaptive-with-task", NONE_SENSITIVE, False, ()),
    ],
)
def test_labels(name: str, options: DataOptions, probe: bool, expected: tuple[str | None, ...]) -> None:
    assert inferred_labels(attack(name), suite(probe_target=probe), options) == expected


@pytest.mark.parametrize(
    ("name", "label", "curve"),
    [
        ("adaptive", "sensitive", True),
        ("adaptive", "target", False),
        ("restorer", None, True),
        ("telea", None, False),
        ("naive", "sensitive", False),
        ("restored-adaptive", "sensitive", False),
    ],
)
def test_a_curve_is_of_attacks_that_learn_from_own_pictures_alone(name: str, label: Any, curve: bool) -> None:
    assert aux_shares(attack(name), label, suite()) == ((0.25, 1.0) if curve else (1.0,))


def test_what_an_attack_on_restored_images_lacks() -> None:
    method, restored = create("method", "random", {}), attack("restored-adaptive")
    slow, fast = attack("deep-image-prior"), attack("restorer")
    assert "no restoration attack of the suite can be run on random" in attack_lacks(restored, method, ())
    assert "fast enough" in attack_lacks(restored, method, (slow,))
    assert attack_lacks(attack("reverse"), method, (slow,)) is None
    assert attack_lacks(restored, method, (slow, fast)) is None
    assert attack_lacks(attack("adaptive"), method, ()) is None


def test_an_attack_whose_weights_are_missing_says_so_first() -> None:
    missing = create("attack", "lama", {"weights": "/nowhere/big-lama.pt"})
    assert "big-lama.pt" in attack_lacks(missing, create("method", "random", {}), ())


def test_who_runs_the_method_cannot_where_the_release_was_made_elsewhere() -> None:
    elsewhere = audited("folder", "content", masked=False)
    assert "no other can be drawn" in attack_lacks(attack("inversion"), elsewhere, ())
    assert "no other can be drawn" in attack_lacks(attack("released-again"), elsewhere, ())
    assert attack_lacks(attack("gallery"), elsewhere, ()) is None
    assert attack_lacks(attack("inversion"), create("method", "gaussian-blur", {}), ()) is None


def test_a_method_that_looks_at_a_sensitive_label_needs_one() -> None:
    method = create("method", "contrastive", {})
    assert "--sensitive" in method_lacks(method, NONE_SENSITIVE)
    assert method_lacks(method, SENSITIVE) is None


def test_attacks_on_restored_images_need_one_that_restores() -> None:
    with pytest.raises(UsageError, match=r"reverse works on restored images: name a restoration attack"):
        refuse_without_restorations((attack("adaptive"), attack("reverse")))
    refuse_without_restorations((attack("telea"), attack("reverse")))
    refuse_without_restorations((attack("adaptive"),))


@pytest.mark.parametrize(
    ("name", "label", "lacks"),
    [("re-identify", "target", True), ("re-identify", "sensitive", False), ("adaptive", "target", False)],
)
def test_who_looks_people_up_needs_a_label_that_says_who_it_is(name: str, label: Any, lacks: bool) -> None:
    reason = cannot_infer(attack(name), label, {"target": 10, "sensitive": 40})
    assert (reason is not None and "10 classes" in reason) == lacks


def test_images_are_inferred_by_anyone() -> None:
    assert cannot_infer(attack("telea"), None, {"target": 2}) is None
