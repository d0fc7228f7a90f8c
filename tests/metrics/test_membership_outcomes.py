"""Outcomes of membership inference, from scores whose answers are known."""

from __future__ import annotations

import pytest
import torch
from maskbench.metrics.catalogue import estimates
from maskbench.metrics.membership import outcomes
from maskbench.metrics.metric import Outcomes
from maskbench.stages.membership import sureness
from torch import Tensor


def auc(members: Tensor, others: Tensor) -> float:
    return float(outcomes(members, others)["member_auc"].mean())


def test_who_is_surer_of_every_member_tells_all() -> None:
    found = outcomes(torch.arange(10.0) + 10, torch.arange(10.0))
    assert found["member_auc"].tolist() == [1] * 10
    assert found["member_tpr"].tolist() == [1] * 10


def test_equal_scores_tell_nothing() -> None:
    found = outcomes(torch.zeros(5), torch.zeros(5))
    assert found["member_auc"].tolist() == [0.5] * 5
    assert found["member_tpr"].tolist() == [0] * 5


def test_the_mean_is_the_share_of_pairs_and_the_spread_that_of_both_sides() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [[torch.randn(80, generator=generator) + shift for shift in (0.5, 0)] for _ in range(300)]
    members, others = drawn[0]
    pairs = (members[:, None] > others).double().mean()
    assert auc(members, others) == pytest.approx(float(pairs))
    # What is said of the spread of the mean is what it is over fresh members and others.
    stated = torch.stack([outcomes(*pair)["member_auc"].std() / 80**0.5 for pair in drawn]).mean()
    found = torch.tensor([auc(*pair) for pair in drawn]).std()
    assert float(stated) == pytest.approx(float(found), rel=0.15)


def test_one_in_a_hundred_others_may_pass_for_a_member() -> None:
    others = torch.arange(200.0)
    members = torch.full((200,), 197.5)
    assert outcomes(members, others)["member_tpr"].mean() == 1
    assert outcomes(members - 1, others)["member_tpr"].mean() == 0


def test_as_many_of_both_are_compared() -> None:
    with pytest.raises(ValueError, match="3 members and 4 others"):
        outcomes(torch.zeros(3), torch.zeros(4))


def test_there_are_metrics_with_intervals() -> None:
    found = outcomes(torch.randn(60) + 1, torch.randn(60))
    columns = {name: values.numpy()[None] for name, values in found.items()}
    columns["control_member_auc"] = columns["member_auc"]
    measured = estimates("membership", Outcomes(columns))
    assert set(measured) == {"membership_auc", "membership_tpr", "membership_control_auc"}
    assert measured["membership_auc"].low < measured["membership_auc"].value < measured["membership_auc"].high


def test_sureness_is_the_logit_of_the_probability_and_never_infinite() -> None:
    logits = torch.tensor([[1.0, 0.0, -1.0], [0.0, 200.0, 0.0]])
    labels = torch.tensor([0, 1])
    chance = float(logits[0].softmax(0)[0])
    found = sureness(logits, labels)
    assert float(found[0]) == pytest.approx(float(torch.logit(torch.tensor(chance, dtype=torch.float64))), rel=1e-5)
    assert float(found[1]) == pytest.approx(200 - 0.6931, abs=1e-3)
