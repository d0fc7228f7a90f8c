"""One function over many images or rows on all cores, for work that releases the interpreter's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
Result = TypeVar("Result")

_ROWS_PER_TASK = 128  # of map_ranges: enough work to outweigh handing a task to a thread
_TASKS_PER_CORE = 4  # of map_images: images differ in how long they take: the last tasks even that out


_granted: int | None = None


def grant_cores(count: int) -> None:
    """Let this process use so many cores at most: processes beside it have the others."""
    global _granted
    _granted = count


def usable_cores() -> int:
    """How many cores this process may run on, which a container or ``taskset`` can make fewer than there are."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return here if _granted is None else min(here, _granted)


def map_images(function: Callable[..., Array], *arrays: Sequence[Array] | Array) -> list[Array]:
    """``[function(*row) for row in zip(*arrays)]``, in order, on a thread for each usable core.

    A thread is handed many images at once: at 32 px one image takes about as long as handing it over.

    Raises:
        ValueError: the arrays differ in length.
    """
    rows = list(zip(*arrays, strict=True))
    cores = usable_cores()
    step = max(1, -(-len(rows) // (cores * _TASKS_PER_CORE)))
    tasks = [rows[start : start + step] for start in range(0, len(rows), step)]
    with ThreadPoolExecutor(max_workers=cores) as pool:
        results = pool.map(lambda task: [function(*row) for row in task], tasks)
        return [result for done in results for result in done]


def map_ranges(function: Callable[[range], Result], count: int) -> list[Result]:
    """Call ``function`` on consecutive ranges that cover 0 … count − 1; return its results in their order."""
    ranges = [range(start, min(start + _ROWS_PER_TASK, count)) for start in range(0, count, _ROWS_PER_TASK)]
    with ThreadPoolExecutor(usable_cores()) as pool:
        return list(pool.map(function, ranges))
