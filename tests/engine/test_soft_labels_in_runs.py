"""Soft labels that a method hands out are read by who is after the sensitive label, and by nobody else."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from maskbench import Release
from tiny import Ran, pooled, run, tiny

SHOWN, PLAIN = "ratio=0.95,adjust=distill", "ratio=0.95"
ATTACK = "soft-labels:components=0"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    suite = tiny(
        (f"random:{SHOWN}", f"random:{PLAIN}"),
        (ATTACK,),
        data={"source": "digits", "limit": 600, "size": 16, "target": "parity", "sensitive": "digit"},
        settings={"scored": 256, "recognition": {"epochs": 8}, "attack": {"epochs": 1}, "recognizer": "small:width=8"},
    )
    found, log = run(suite, tmp_path_factory.mktemp("store"))
    assert not log.outcomes["failed"]
    return found


def _attacked(ran: Ran) -> pd.DataFrame:
    found = pooled(ran.cells, metric="advantage")
    return found[found["attack"].str.startswith("soft-labels")]


def test_only_a_method_that_hands_them_out_is_attacked(ran: Ran) -> None:
    found = _attacked(ran)
    assert set(zip(found["method"], found["params"], found["label"], strict=True)) == {
        ("random", SHOWN.replace("ratio=0.95,", ""), "sensitive")
    }


def test_of_test_pictures_none_are_handed_out(ran: Ran) -> None:
    """So all of them are answered alike, as likely as the digits are."""
    (stage,) = {
        step.stage
        for step in ran.execution.plan.steps.values()
        if step.stage.title().startswith("inference soft-labels")
    }
    answers = ran.artifact(stage).tensors
    assert len(answers["owner_test"].unique(dim=0)) == 1
    assert len(answers["owner_train"].unique(dim=0)) > 200
    assert len(answers["validation"].unique(dim=0)) > 20
    assert len(answers["validation/owner_test"].unique(dim=0)) == 1


def test_a_release_keeps_them_with_their_pictures() -> None:
    soft = torch.rand(4, 3)
    release = Release(torch.rand(4, 1, 8, 8)).with_soft_labels(soft).with_task_labels(torch.arange(4))
    chosen = release.select(torch.tensor([2, 0]))
    assert chosen.soft_labels is not None and torch.equal(chosen.soft_labels, soft[[2, 0]])
    assert release.with_soft_labels(None).soft_labels is None
    with pytest.raises(ValueError, match="expected 4 rows"):
        release.with_soft_labels(soft[:2])
