"""A leak that was planted is found, and what leaks more comes out as leaking more; on digits, of parity and digit."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest
from maskbench.plugins.files import add_file
from tiny import plugins_forgotten, pooled, run, tiny

PLANTED = Path(__file__).with_name("planted_leaks.py")
STRONG_BLUR = "strength=0.25"
SUITE = {
    "data": {"source": "digits", "size": 16, "target": "parity", "sensitive": "digit"},
    "settings": {
        "recognizer": "small:width=16",
        "scored": 512,
        "recognition": {"epochs": 6},
        "attack": {"epochs": 10},
        "restoration": {"epochs": 1},
    },
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    methods = [f"planted-{where}" for where in ("in-low-bits", "in-shape", "in-position", "nothing")]
    methods.append(f"gaussian-blur:{STRONG_BLUR}")
    with plugins_forgotten():
        add_file(PLANTED)
        suite = tiny(methods, ["naive", "adaptive", "adaptive-bits", "mask-only"], **SUITE)
        found, _ = run(suite, tmp_path_factory.mktemp("store"))
    reasons = [result.reason for result in found.results if result.status != "ok"]
    assert not reasons
    return found.cells


def advantage(cells: pd.DataFrame, method: str, attack: str = "strongest") -> pd.Series:
    """The row of an attack's advantage on the digit, on what was outsourced."""
    found = pooled(cells, method=method, attack=attack, metric="advantage", label="sensitive", split="owner_train")
    assert len(found) == 1
    return found.iloc[0]


def test_the_worst_case_ranks_the_leaks_rightly(cells: pd.DataFrame) -> None:
    """A blur hides nothing from who learns it; low bits tell a third of the digits, the shape a half, the last nothing.

    Who knows the parity and the third is right for seven digits of ten, who knows the parity and the half for four.
    """
    order = ["gaussian-blur", "planted-in-low-bits", "planted-in-shape", "planted-nothing"]
    found = [advantage(cells, method) for method in order]
    shown = [(method, row["value"], row["ci_low"], row["ci_high"]) for method, row in zip(order, found, strict=True)]
    for more, less in itertools.pairwise(found):
        assert more["ci_low"] > less["ci_high"], shown
    assert found[-1]["ci_low"] <= 0 <= found[-1]["ci_high"], shown


def test_the_shape_is_found_by_who_sees_masks_alone(cells: pd.DataFrame) -> None:
    assert advantage(cells, "planted-in-shape", "mask-only")["ci_low"] > 0.1


def test_position_is_found_by_who_does_not_shift(cells: pd.DataFrame) -> None:
    assert advantage(cells, "planted-in-position", "mask-only")["ci_low"] > 0.7


def test_low_bits_are_found_by_who_looks_at_bits(cells: pd.DataFrame) -> None:
    """Under five bits of noise: a network that sees brightness hardly sees them."""
    bits, brightness = (advantage(cells, "planted-in-low-bits", attack) for attack in ("adaptive-bits", "adaptive"))
    assert bits["ci_low"] > 0.45
    assert brightness["ci_high"] < bits["ci_low"]


def test_adaptive_beats_naive_on_blur(cells: pd.DataFrame) -> None:
    """The ordering of Hao et al. 2019 (1905.05243): who learns on blurred images reads them, who does not is lost."""
    naive, adaptive = (advantage(cells, "gaussian-blur", attack) for attack in ("naive", "adaptive"))
    assert adaptive["ci_low"] - naive["ci_high"] > 0.2
