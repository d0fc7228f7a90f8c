"""The share of the optimum's bits that an attack reads."""

from __future__ import annotations

import numpy as np
import pytest
from maskbench.metrics.catalogue import estimates
from maskbench.metrics.metric import Outcomes


def outcomes(numbers: np.ndarray, information: np.ndarray, **references: Outcomes) -> Outcomes:
    zeros = np.zeros(numbers.shape, np.int64)  # of the other metrics, which are not looked at
    columns = {"number": numbers, "information": information, "truth": zeros, "correct": zeros, "prior_correct": zeros}
    return Outcomes(columns, 2, references)


def test_pictures_are_put_beside_themselves_by_their_numbers() -> None:
    best = outcomes(np.array([[3, 1, 2]]), np.array([[3.0, 1.0, 2.0]]))
    found = estimates("inference", outcomes(np.array([[1, 2, 9]]), np.array([[0.5, 1.0, 100.0]]), optimum=best))
    assert found["efficiency"].value == pytest.approx(0.5)
    assert found["efficiency"].n == 2  # the optimum was not asked for the picture 9
    assert (found["efficiency"].low, found["efficiency"].high) == (0.5, 0.5)


def test_an_attack_that_misleads_has_none() -> None:
    numbers = np.arange(50)[None]
    best = outcomes(numbers, np.ones((1, 50)))
    assert estimates("inference", outcomes(numbers, -np.ones((1, 50)), optimum=best))["efficiency"].value == 0


def test_of_nothing_there_is_no_share() -> None:
    numbers = np.arange(50)[None]
    best = outcomes(numbers, np.full((1, 50), 0.001))
    assert np.isnan(estimates("inference", outcomes(numbers, np.ones((1, 50)), optimum=best))["efficiency"].value)


def test_without_an_optimum_it_is_not_measured() -> None:
    assert "efficiency" not in estimates("inference", outcomes(np.arange(50)[None], np.ones((1, 50))))
