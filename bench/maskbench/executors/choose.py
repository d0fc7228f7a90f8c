"""Which executor a run gets."""

from __future__ import annotations

import math
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
    store: Store,
    device: torch.device,
    jobs: int | None = None,
    *,
    exclusive_timing: bool = False,
    ray: str | None = None,
    gpus_per_stage: float | None = None,
) -> Executor:
    """Worker processes, or this process where there shall be none; or a Ray cluster.

    Args:
        device: of this machine. On a cluster, stages get a GPU where this is one, or where GPUs are asked for.
        jobs: stages at work at once, each in a process of its own; 0: in this process; None: as the variable
            ``MASKBENCH_JOBS`` says, or else as many as pay here.
        exclusive_timing: whether stages whose time is reported are made while nothing else is at work.
        ray: address of a Ray cluster, which decides by itself how many stages are at work.
        gpus_per_stage: of the cluster's GPUs, so many for each stage, or such a share of one.

    Raises:
        UsageError: there cannot be so many, or options do not go together.
    """
    if ray is not None:
        if exclusive_timing:
            raise UsageError("--ray does not go with --exclusive-timing: a cluster works at several stages at once.")
        return _on_ray(store, device, ray, gpus_per_stage)
    if gpus_per_stage is not None:
        raise UsageError("--gpus-per-stage goes with --ray ADDRESS alone.")
    if jobs is None:
        named = os.environ.get("MASKBENCH_JOBS")
        jobs = jobs_that_pay(device) if named is None else _number(named)
    if jobs < 0:
        raise _no_number(str(jobs))
    if jobs and not _has_workers():
        raise UsageError(f"--jobs {jobs}: worker processes need Linux or macOS. Use --jobs 0.")
    if not jobs:
        return LocalExecutor(store, device)
    return WorkersExecutor(store, device, jobs, exclusive_timing)


def _on_ray(store: Store, device: torch.device, address: str, gpus_per_stage: float | None) -> Executor:
    if gpus_per_stage is None:
        gpus_per_stage = 1.0 if device.type == "cuda" else 0.0
    if not 0 <= gpus_per_stage < math.inf:
        raise UsageError(f"--gpus-per-stage {gpus_per_stage:g}: expected 0, a share such as 0.25, or a number.")
    try:
        import ray  # noqa: F401 - an extra, and slow to import
    except ImportError as error:
        raise UsageError("--ray needs the extra of that name: pip install 'maskbench[ray]'.") from error
    from maskbench.executors.ray import RayExecutor

    return RayExecutor(store, address, gpus_per_stage)


def jobs_that_pay(device: torch.device) -> int:
    """A worker for each core at hand, as far as memory reaches; one on a GPU; none where there are no workers."""
    if not _has_workers():
        return 0
    return workers_that_fit(cores_at_hand()) if device.type == "cpu" else 1


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _no_number(text) from None


def _no_number(text: str) -> UsageError:
    return UsageError(f"--jobs {text}: expected the number of stages at work at once, or 0 for this process.")


def _has_workers() -> bool:
    return os.name == "posix" and bool(sys.executable)
