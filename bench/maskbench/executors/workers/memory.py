"""Whether there is memory for another stage: it is asked for, not assumed."""

from __future__ import annotations

from collections.abc import Iterable

from maskbench.executors.at_hand import memory_at_hand

RESERVE = 1 << 29
"""Bytes that are left to the rest of the machine."""

PER_WORKER = 1 << 30
"""Bytes without which no worker is started beside others, whatever it is at."""


def workers_that_fit(cores: int) -> int:
    """As many workers as there are cores, and as memory has room for; at least one."""
    return max(1, min(cores, (memory_at_hand() - RESERVE) // PER_WORKER))


def has_room(needs: int, growth: Iterable[int]) -> bool:
    """Whether a stage may begin beside those at work.

    Args:
        needs: bytes that its process holds at the peak, as far as like stages tell.
        growth: for each stage at work, the bytes at its peak less those that its process holds already.
    """
    return memory_at_hand() - sum(max(0, each) for each in growth) >= needs + RESERVE
