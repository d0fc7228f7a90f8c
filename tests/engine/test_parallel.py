"""Images on all cores: in order, all of them, and errors come through."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from maskbench.parallel import map_images, usable_cores


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 100])
def test_the_results_of_a_loop_in_order(count: int) -> None:
    left, right = np.arange(count), np.arange(count) * 10
    assert map_images(lambda a, b: a + b, left, right) == [place * 11 for place in range(count)]


def test_several_threads_work_where_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskbench.parallel.usable_cores", lambda: 2)
    together = threading.Barrier(2, timeout=10)  # opens only when two images are in work at once

    def wait(image: np.generic) -> np.generic:
        together.wait()
        return image

    assert map_images(wait, np.arange(2)) == [0, 1]


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        map_images(lambda a, b: a, np.arange(3), np.arange(4))


def test_an_error_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        map_images(lambda image: 1 // int(image), np.array([1, 0, 1]))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_cores_that_the_process_may_not_use_do_not_count() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
