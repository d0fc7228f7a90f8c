"""Ray clusters: being connected to one, and how many stages it can have at work."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from maskbench.errors import UsageError

_PATIENCE = 5.0  # seconds until a machine that does not answer is taken for none


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be connected to the cluster in the block; a connection that is there already is used, and left.

    Raises:
        UsageError: no cluster answers at the address.
    """
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster that is started here tells nobody of its use
    try:
        _reach(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"--ray {address}: no Ray cluster answers there ({str(error).splitlines()[0]}). Start one with `ray start "
            "--head`, name its address, or write --ray local for one on this machine."
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Find out at once whether anything listens at ``HOST:PORT``: Ray tries for a minute; other addresses pass."""
    host, _, port = address.rpartition(":")
    if host and "/" not in host and port.isascii() and port.isdigit():
        socket.create_connection((host, int(port)), _PATIENCE).close()


def places(gpus_per_stage: float) -> float:
    """How many stages can be at work at once.

    Raises:
        UsageError: none.
    """
    resources = ray.cluster_resources()
    gpus, cpus = resources.get("GPU", 0.0), resources.get("CPU", 0.0)
    if gpus_per_stage > gpus or (gpus_per_stage > 1 and gpus_per_stage != int(gpus_per_stage)):
        raise UsageError(
            f"--gpus-per-stage {gpus_per_stage:g}: the cluster has {gpus:g} GPUs; a stage gets a share of one, such as "
            "0.25, or a whole number of them."
        )
    if not gpus_per_stage and not cpus:
        raise UsageError("The Ray cluster has no CPUs to offer: start its nodes with --num-cpus.")
    return gpus / gpus_per_stage if gpus_per_stage else cpus
