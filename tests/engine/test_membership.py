"""Weights that were handed out, and the pictures behind them: a network that learned by heart, and a control."""

from __future__ import annotations

from typing import Any

import pytest
from maskbench.errors import UsageError
from maskbench.report.tables.membership import TABLE
from tiny import Ran, pooled, run, tiny

BY_HEART = {"epochs": 20, "batch_size": 16, "crop": 0}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    suite = tiny(
        ["random", "random:adjust=fine-tune"],
        [],
        data={"source": "calibrated:pictures=600"},
        settings={"shadows": 3, "recognizer": "small:width=16", "recognition": BY_HEART, "scored": 200},
    )
    done, log = run(suite, tmp_path_factory.mktemp("store"))
    assert not log.outcomes["failed"]
    # The shadows serve all methods and are the attacker's.
    assert sum("teacher" in title and "attacker" in title for title in log.outcomes["computed"]) == 3
    return done


def value(ran: Ran, metric: str) -> Any:
    rows = pooled(ran.cells, metric=metric)
    assert len(rows) == 1
    return rows.iloc[0]


def test_a_network_that_learned_by_heart_gives_its_pictures_away(ran: Ran) -> None:
    found = value(ran, "membership_auc")
    assert (found["method"], found["split"]) == ("random", "owner_train")
    assert "fine-tune" in found["params"]
    assert found["n"] == 120  # as many as owner-test has
    assert found["ci_low"] > 0.55
    assert value(ran, "membership_tpr")["value"] > 0.02


def test_a_network_that_saw_none_of_them_tells_nothing(ran: Ran) -> None:
    control = value(ran, "membership_control_auc")
    assert control["ci_low"] < 0.5 < control["ci_high"]


def test_who_hands_out_no_weights_is_not_asked(ran: Ran) -> None:
    asked = ran.cells[ran.cells["attack"] == "membership"]
    assert set(asked["params"]) == {"adjust=fine-tune"}
    assert set(asked["attack_kind"]) == {"membership"}


def test_the_table_says_it(ran: Ran) -> None:
    table = TABLE.build(ran.folder)
    assert len(table) == 1
    assert "[" in table["told apart %"].iloc[0]


def test_one_shadow_leaves_no_control() -> None:
    with pytest.raises(UsageError, match="two shadows or more"):
        tiny(settings={"shadows": 1})
