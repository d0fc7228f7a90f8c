"""Inference of the sensitive label, target class by target class."""

from __future__ import annotations

import numpy as np
import pytest
from maskbench.results.by_target import by_target
from planted import ADAPTIVE, IMAGES, PIXELATE, RANDOM, REVERSE, inferred, recognized, tables

EVEN = np.arange(IMAGES) % 2 == 0


def test_the_class_that_is_hit_is_named() -> None:
    # Prior: right for every 4th image, which are all even. The chosen attack is right for all odd ones alone.
    found = tables(
        [
            inferred(method, attack, correct, seed=seed, validation=validation)
            for method in (RANDOM, PIXELATE)  # one with a ratio, one without
            for seed in (0, 1)
            for attack, correct, validation in ((ADAPTIVE, ~EVEN, 1.0), (REVERSE, EVEN, 0.0))
        ]
    )
    frame = by_target(found.cells, found.samples)
    assert frame["method"].tolist() == ["random", "random", "pixelate", "pixelate"]
    assert frame["target_class"].tolist() == ["even", "odd"] * 2
    assert set(frame["attack"]) == {"adaptive"}
    assert (frame["n"] == IMAGES // 2).all()
    assert (frame["seeds"] == 2).all()
    even, odd = frame.iloc[0], frame.iloc[1]
    assert (even["prior"], even["accuracy"]) == (0.5, 0.0)
    assert even["advantage"] == pytest.approx(-1.0)
    assert (odd["prior"], odd["accuracy"], odd["advantage"]) == (0.0, 1.0, 1.0)


def test_the_attack_chosen_for_a_seed_is_read_for_that_seed() -> None:
    found = tables(
        [
            inferred(RANDOM, ADAPTIVE, 1, seed=0, validation=1),
            inferred(RANDOM, REVERSE, 0, seed=0),
            inferred(RANDOM, ADAPTIVE, 0, seed=1),
            inferred(RANDOM, REVERSE, 1, seed=1, validation=1),
        ]
    )
    frame = by_target(found.cells, found.samples)
    assert (frame["accuracy"] == 1).all()
    assert set(frame["attack"]) == {"adaptive, reverse"}


def test_nothing_without_inference_of_a_sensitive_label() -> None:
    found = tables([recognized(RANDOM)])
    assert by_target(found.cells, found.samples).empty
