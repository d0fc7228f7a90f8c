"""Randomness that is repeatable and leaves the caller's generators as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generators (CPU, and CUDA's where it is in use) inside the block, restore them after.

    CUDA that was never used is not started for this: on a machine with a GPU, a run on the CPU stays off it.
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
