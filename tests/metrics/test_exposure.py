"""Who is exposed most: AUC and true positives of single classes against scikit-learn's, and the worst class."""

from __future__ import annotations

import numpy as np
import pytest
from maskbench.metrics.catalogue import estimates
from maskbench.metrics.exposure import (
    LEAST_MEMBERS,
    auc_columns,
    auc_statistic,
    told_classes,
    tpr_columns,
    tpr_statistic,
)
from maskbench.metrics.intervals import interval
from maskbench.metrics.metric import Outcomes
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score


def scored(count: int, members: int, shift: float, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of some images under one seed, those of members higher; rounded, so that some are equal."""
    member = np.arange(count) < members
    scores = np.random.default_rng(seed).normal(shift * member)
    return scores.round(1)[None], member


def value(statistic, columns: NDArray[np.float64]) -> float:
    return float(statistic(columns.mean(axis=(0, 1))))


def test_the_auc_is_that_of_scikit_learn() -> None:
    scores, member = scored(300, 60, 1.0)
    assert value(auc_statistic, auc_columns(scores, member)) == pytest.approx(roc_auc_score(member, scores[0]))


def test_its_interval_covers_as_often_as_it_says() -> None:
    truth = 0.7602  # P(z > −1/√2) for normal scores that differ by 1
    covered = []
    for seed in range(200):
        found = interval(auc_columns(*scored(200, 40, 1.0, seed)), auc_statistic, resamples=200, seed=seed)
        covered.append(found.low <= truth <= found.high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_true_positives_at_a_low_rate_of_false_ones() -> None:
    member = np.arange(220) < 20
    scores = np.where(member, 0.0, np.linspace(0, 1, 220))[None].copy()
    scores[0, :5] = 2.0  # above all others
    scores[0, 5] = np.sort(scores[0])[-8]  # two of two hundred others lie above: no more than 1 %
    assert value(tpr_statistic, tpr_columns(scores, member)) == pytest.approx(5 / 20)
    scores[0, 5] = 1.5
    assert value(tpr_statistic, tpr_columns(scores, member)) == pytest.approx(6 / 20)


def test_the_class_that_is_told_best_stands_for_the_worst() -> None:
    """One class of four is read off the picture, the others are guessed: the mean hides it."""
    truth = np.arange(400) % 4
    stated = np.random.default_rng(0).dirichlet(np.ones(4), size=400)
    stated[truth == 3] = [0.02, 0.03, 0.05, 0.9]
    columns = {"truth": truth[None], "correct": (stated.argmax(1) == truth)[None], "prior_correct": (truth == 0)[None]}
    found = estimates("inference", Outcomes({**columns, "probabilities": stated[None]}, 4))
    assert found["worst_class_auc"].value > 0.97
    assert found["worst_class_tpr"].value > 0.5 > found["accuracy"].value
    assert found["worst_class_auc"].low <= found["worst_class_auc"].value <= found["worst_class_auc"].high
    assert "worst_class_auc" not in estimates("inference", Outcomes(columns, 4)), (
        "without probabilities nothing is told"
    )


def test_of_few_members_nothing_is_told() -> None:
    truth = np.repeat([0, 1, 2], [50, LEAST_MEMBERS, LEAST_MEMBERS - 1])
    assert told_classes(truth, 4) == [0, 1]
    assert told_classes(np.zeros(50, dtype=np.int64), 2) == []
