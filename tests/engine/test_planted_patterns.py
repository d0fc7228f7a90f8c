"""Leaks that are spread over the whole picture, or over the whole release, are found by the attack made for each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from maskbench.plugins.files import add_file
from tiny import plugins_forgotten, pooled, run, tiny

PLANTED = Path(__file__).with_name("planted_leaks.py")
FAST = {"epochs": 1}
MLP = "mlp:components=20,networks=1,steps=300"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    with plugins_forgotten():
        add_file(PLANTED)
        suite = tiny(
            ["planted-spread", "planted-sign", "planted-in-common"],
            ["linear", MLP, "transductive"],
            data={"source": "digits", "size": 16, "target": "parity", "sensitive": "digit"},
            settings={"scored": 400, "draws": 4, "recognition": FAST, "attack": FAST, "restoration": FAST},
        )
        found, log = run(suite, tmp_path_factory.mktemp("store"))
    assert not log.outcomes["failed"]
    return found.cells


def advantage(cells: pd.DataFrame, method: str, attack: str) -> pd.Series:
    found = pooled(cells, method=method, attack=attack, metric="advantage", label="sensitive", split="owner_train")
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(
    ("method", "attack", "blind"),
    [
        ("planted-spread", "linear", ""),
        ("planted-sign", MLP, "linear"),
        ("planted-in-common", "transductive", ""),  # linear answers are calibrated on the whole release as well
    ],
)
def test_each_is_found_by_the_attack_made_for_it(cells: pd.DataFrame, method: str, attack: str, blind: str) -> None:
    """Who knows parity and third is right for seven digits of ten."""
    found = advantage(cells, method, attack)
    assert found["ci_low"] > 0.2
    if blind:
        assert advantage(cells, method, blind)["ci_high"] < found["ci_low"]


@pytest.mark.parametrize(
    ("method", "attack"),
    [("planted-spread", "linear"), ("planted-sign", MLP), ("planted-in-common", "transductive")],
)
def test_the_stack_finds_each(cells: pd.DataFrame, method: str, attack: str) -> None:
    """Also what only the whole release shows: answers are calibrated on the release that they are for."""
    for together in ("stacked", "strongest"):
        assert advantage(cells, method, together)["value"] > advantage(cells, method, attack)["value"] - 0.05


def test_with_shuffled_labels_they_are_not_found(cells: pd.DataFrame) -> None:
    for method in ("planted-spread", "planted-sign", "planted-in-common"):
        assert abs(advantage(cells, method, "permuted")["value"]) < 0.06
