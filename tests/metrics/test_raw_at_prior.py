"""Where a recognizer of raw images is at the prior, there is no utility."""

from __future__ import annotations

import numpy as np
import pytest
from maskbench.metrics.catalogue import estimates
from maskbench.metrics.metric import Outcomes


def outcomes(share: float, **beside: Outcomes) -> Outcomes:
    """Of 400 images under two seeds so large a share is right, by the prior a half."""
    number = np.random.default_rng(0).permutation(400)
    right = np.stack([number < share * 400] * 2)
    prior = np.stack([np.arange(400) % 2 == 0] * 2)
    truth = np.stack([number % 2] * 2)
    columns = {"correct": right.astype(float), "prior_correct": prior.astype(float), "truth": truth}
    return Outcomes(columns, 2, beside)


@pytest.mark.parametrize(("raw", "there"), [(0.9, True), (0.6, True), (0.52, False), (0.4, False)])
def test_utility_needs_raw_images_that_tell_something(raw: float, there: bool) -> None:
    found = estimates("recognition", outcomes(0.55, raw=outcomes(raw)))["utility"]
    assert np.isfinite([found.value, found.low, found.high]).all() == there
    assert (found.n > 0) == there
