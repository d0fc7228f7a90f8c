"""Accuracies against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench.metrics.classification import (
    accuracy,
    balanced_columns,
    balanced_statistic,
    correct,
)
from sklearn.metrics import accuracy_score, recall_score


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**16), n=st.integers(1, 60), classes=st.integers(2, 7))
def test_accuracies_equal_scikit_learn(seed: int, n: int, classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, classes, generator=generator)
    labels = torch.randint(classes, (n,), generator=generator)
    predicted = logits.argmax(1)
    present = labels.unique().tolist()
    recalls = recall_score(labels, predicted, labels=present, average="macro", zero_division=0)
    assert accuracy(logits, labels).item() == pytest.approx(accuracy_score(labels, predicted))
    columns = balanced_columns(correct(logits, labels), labels, classes).mean(0).numpy()
    assert float(balanced_statistic(columns)) == pytest.approx(recalls)


def test_balanced_statistic_is_a_function_of_column_means() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    columns = balanced_columns(torch.tensor([1.0, 1.0, 0.0, 1.0]), labels, 3).numpy()
    assert columns.shape == (4, 6)
    without_class_1 = columns[:3].mean(0)
    batch = torch.stack([torch.from_numpy(columns.mean(0)), torch.from_numpy(without_class_1)]).numpy()
    assert balanced_statistic(batch) == pytest.approx([(2 / 3 + 1) / 2, 2 / 3])


def test_correct_by_hand() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
    assert correct(logits, torch.tensor([0, 0, 0])).tolist() == [1.0, 0.0, 1.0]


def test_no_images_give_nan() -> None:
    nothing = torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)
    assert accuracy(*nothing).isnan()
    assert np.isnan(balanced_statistic(np.zeros(6)))


LOGITS = torch.zeros(3, 4)
LABELS = torch.tensor([0, 1, 3])


@pytest.mark.parametrize(
    ("logits", "labels", "name"),
    [
        (LOGITS * float("nan"), LABELS, "logits"),
        (LOGITS[0], LABELS, "logits"),
        (LABELS[:, None], LABELS, "logits"),
        (LOGITS, LABELS + 1, "labels"),
        (LOGITS, LABELS - 1, "labels"),
        (LOGITS, LABELS[:2], "labels"),
        (LOGITS, LABELS.float(), "labels"),
        (LOGITS, LABELS[:, None], "labels"),
    ],
)
def test_bad_input_is_refused_by_name(logits: torch.Tensor, labels: torch.Tensor, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        correct(logits, labels)


def test_outcomes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^outcomes:"):
        balanced_columns(torch.ones(2), LABELS, 4)
