"""Which executor a run gets."""

from __future__ import annotations

import os
import sys

import torch

from maskbench.artifacts.store import Store
from maskbench.errors import UsageError
from maskbench.executors.at_hand import cores_at_hand
from maskbench.executors.executor import Executor
from maskbench.executors.local import LocalExecutor
from maskbench.executors.workers.driver import WorkersExecutor
from maskbench.executors.workers.memory import workers_that_fit


def choose_executor(
    store: Store, device: torch.device, jobs: int | None = None, *, exclusive_timing: bool = False
) -> Executor:
    """Worker processes, or this process where there shall be none.

    Args:
        jobs: stages at work at once, each in a process of its own; 0: in this process; None: as many as pay here.
        exclusive_timing: whether stages whose time is reported are made while nothing else is at work.

    Raises:
        UsageError: there cannot be so many.
    """
    if jobs is None:
        jobs = jobs_that_pay(device)
    if jobs < 0:
        raise UsageError(f"--jobs {jobs}: expected the number of stages at work at once, or 0 for this process.")
    if jobs and not _has_workers():
        raise UsageError(f"--jobs {jobs}: worker processes need Linux or macOS. Use --jobs 0.")
    if not jobs:
        return LocalExecutor(store, device)
    return WorkersExecutor(store, device, jobs, exclusive_timing)


def jobs_that_pay(device: torch.device) -> int:
    """A worker for each core at hand, as far as memory reaches; one on a GPU; none where there are no workers."""
    if not _has_workers():
        return 0
    return workers_that_fit(cores_at_hand()) if device.type == "cpu" else 1


def _has_workers() -> bool:
    return os.name == "posix" and bool(sys.executable)
