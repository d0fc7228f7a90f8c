"""Whether two cores are free for a measurement that needs both."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from maskbench.parallel import usable_cores

ROUNDS = 4
FREE = 1.9  # what two threads that share nothing must reach, or else the second core is busy with other work


def fastest(*calls: Callable[[], object]) -> list[float]:
    """Best time of each call in seconds; they take turns, so that other work on the machine meets them alike."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, seconds in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
    return [min(seconds) for seconds in times]


def needs_two_free_cores() -> None:
    if usable_cores() < 2:
        pytest.skip(f"needs two cores; this process may use {usable_cores()}")
    block = bytes(16_000_000)  # some ten milliseconds to hash, without the interpreter's lock
    blocks = [block] * 4

    def threads() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(hashlib.sha256, blocks))

    alone, together = fastest(lambda: [hashlib.sha256(each) for each in blocks], threads)
    if alone / together < FREE:
        pytest.skip(f"needs two free cores; two threads that hash are {alone / together:.2f} times as fast as one")
