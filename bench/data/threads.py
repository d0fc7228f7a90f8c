"""Work on many rows in threads: Pillow, hashing and file reads release the interpreter's lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_ROWS_PER_TASK = 128  # enough work to outweigh handing a task to a thread


def map_ranges(function: Callable[[range], Result], count: int) -> list[Result]:
    """Call `function` on consecutive ranges that cover 0..count-1; return its results in their order."""
    ranges = [range(start, min(start + _ROWS_PER_TASK, count)) for start in range(0, count, _ROWS_PER_TASK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, ranges))
