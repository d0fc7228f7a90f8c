"""Times of work on a device."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def waited(device: torch.device) -> float:
    """The time, when the device has done what was queued."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def seconds_of(work: Callable[[], object], device: torch.device, *, repeats: int = 5, warm_up: int = 1) -> float:
    """The median time of some work; what it queues on the device is waited for."""
    for _ in range(warm_up):
        work()
    times = []
    for _ in range(repeats):
        started = waited(device)
        work()
        times.append(waited(device) - started)
    return statistics.median(times)
