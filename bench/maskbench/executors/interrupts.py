"""Telling the user's wish to end from what a plug-in raises, and ending in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

KEPT = "Stopped. What is done is kept, and the same command goes on from there."
"""What is said where a run was told to end."""


class Interrupted(KeyboardInterrupt):
    """The user pressed Ctrl-C, and the work has ended in order (exit code 130)."""

    def __str__(self) -> str:
        return KEPT


class Terminated(SystemExit):
    """The process was told to end by SIGTERM, and the work has ended in order (exit code 143)."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)

    def __str__(self) -> str:
        return KEPT


class Interrupts:
    """Whether the user has interrupted; a plug-in that catches the exception does not hide it."""

    def __init__(self) -> None:
        self.by_user = False

    def check(self) -> None:
        """Raise KeyboardInterrupt where the user has asked for the end."""
        if self.by_user:
            raise Interrupted


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Watch for the signal of Ctrl-C in the block. Only a main thread gets it; elsewhere none is ever the user's."""
    watch = Interrupts()
    before = signal.getsignal(signal.SIGINT)
    if not _is_main_thread() or not callable(before):
        yield watch
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        watch.by_user = True
        before(number, frame)

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield watch
    finally:
        signal.signal(signal.SIGINT, before)


class StopRequests:
    """Whether the process was told to end: the first time in order, at the next ``check``; the second time at once."""

    def __init__(self) -> None:
        self._wish: BaseException | None = None

    def check(self) -> None:
        """Raise ``Interrupted`` or ``Terminated`` where the process was told to end."""
        if self._wish is not None:
            raise self._wish

    def take(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        again = self._wish is not None
        self._wish = Interrupted() if number == signal.SIGINT else Terminated()
        if again:
            raise self._wish


@contextmanager
def stop_requests() -> Iterator[StopRequests]:
    """Take Ctrl-C and SIGTERM as requests in the block. Only a main thread gets them; elsewhere there never are any."""
    requests = StopRequests()
    before: dict[int, Any] = {}
    if _is_main_thread():
        for number in map(int, (signal.SIGINT, signal.SIGTERM)):
            if signal.getsignal(number) is not signal.SIG_IGN:  # of a job in the background, or under nohup
                before[number] = signal.signal(number, requests.take)
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
