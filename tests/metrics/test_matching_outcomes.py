"""Outcomes of matching attacks, from scores whose answers are known."""

from __future__ import annotations

import numpy as np
import torch
from maskbench.metrics.catalogue import MAIN, estimates
from maskbench.metrics.matching import outcomes
from maskbench.metrics.metric import Outcomes

OWN = torch.tensor([0, 2])


def test_the_own_picture_is_first_or_not() -> None:
    pool = torch.tensor([[0.9, 0.1, 0.2], [0.5, 0.1, 0.4]])
    control = torch.tensor([[0.3, 0.0], [0.3, 0.6]])
    found = outcomes(pool, OWN, control)
    assert found["rank_1"].tolist() == [1, 0]
    assert found["naive_rank_1"].tolist() == [1 / 3, 1 / 3]
    assert found["control_rank_1"].tolist() == [1, 1]  # 0.3 of 0.3, 0.1, 0.2; 0.6 of 0.6, 0.5, 0.1
    assert found["matching_auc"].tolist() == [1, 0.75]
    assert found["matching_tpr"].tolist() == [1, 0]


def test_equal_scores_are_shared_out() -> None:
    found = outcomes(torch.zeros(2, 4), OWN, torch.zeros(2, 5))
    assert found["rank_1"].tolist() == found["naive_rank_1"].tolist() == found["control_rank_1"].tolist() == [0.25] * 2
    assert found["matching_auc"].tolist() == [0.5, 0.5]
    assert found["matching_tpr"].tolist() == [0, 0]


def test_one_in_a_hundred_control_pairs_may_lie_above() -> None:
    control = torch.arange(200.0).view(2, 100)
    pool = torch.tensor([[197.5, 0, 0], [0, 0, 196.5]])
    assert outcomes(pool, OWN, control)["matching_tpr"].tolist() == [1, 0]


def test_each_question_has_its_metrics_with_intervals() -> None:
    found = outcomes(torch.eye(20), torch.arange(20), torch.zeros(20, 30))
    columns = {name: values.numpy()[None] for name, values in found.items()}
    singled, linked = (estimates(family, Outcomes(columns)) for family in ("matching", "linkage"))
    assert {*singled} == {*columns}
    assert [name.removeprefix("link_") for name in linked] == [name.removeprefix("matching_") for name in singled]
    assert singled[MAIN["matching"]].value == linked[MAIN["linkage"]].value == 1
    assert 0.8 < singled["rank_1"].low < 1  # all of twenty are right: that is no certainty
    assert np.isclose(singled["naive_rank_1"].value, 0.05)
