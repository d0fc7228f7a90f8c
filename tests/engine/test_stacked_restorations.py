"""Restorations taken together: a row beside theirs, better than each where they err in different ways."""

from __future__ import annotations

import pytest
from tiny import Ran, pooled, run, tiny

ATTACKS = ("telea", "gaussian-mean", "mean-fill")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    settings = {"scored": 64, "recognition": {"epochs": 1}, "attack": {"epochs": 1}, "restoration": {"epochs": 1}}
    suite = tiny(
        ("random:ratio=0.5,patch=2",), ATTACKS, data={"source": "digits", "limit": 400, "size": 16}, settings=settings
    )
    found, log = run(suite, tmp_path_factory.mktemp("store"))
    assert not log.outcomes["failed"]
    return found


def _hole(done: Ran, attack: str, method: str = "random") -> float:
    rows = pooled(done.cells, method=method, attack=attack, metric="ssim_hole", split="owner_train")
    assert set(rows["attack_kind"]) == {"restoration"}
    return float(rows["value"].iloc[0])


def test_together_they_are_not_below_any_of_them(done: Ran) -> None:
    alone = [_hole(done, attack) for attack in ATTACKS]
    assert _hole(done, "stacked") > max(alone) - 0.005
    assert _hole(done, "stacked") > sorted(alone)[1]


def test_they_are_compared_with_the_same_on_the_null(done: Ran) -> None:
    rows = pooled(done.cells, method="random", attack="stacked", metric="ssim_hole_over_null", split="owner_train")
    assert float(rows["value"].iloc[0]) == pytest.approx(_hole(done, "stacked") - _hole(done, "stacked", "full-mask"))


def test_the_example_is_what_was_scored(done: Ran) -> None:
    shown = {picture.attack for picture in done.folder.pictures if picture.shows == "restored"}
    assert shown == {"stacked", *ATTACKS}


def test_a_single_restoration_is_not_stacked(tmp_path_factory: pytest.TempPathFactory) -> None:
    found, _ = run(tiny(attacks=("telea", "mask-only")), tmp_path_factory.mktemp("single"))
    assert found.cells[(found.cells["attack"] == "stacked") & (found.cells["attack_kind"] == "restoration")].empty
