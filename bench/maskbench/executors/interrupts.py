"""Telling the user's Ctrl-C from a KeyboardInterrupt that a plug-in raises."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Whether the user has interrupted; a plug-in that catches the exception does not hide it."""

    def __init__(self) -> None:
        self.by_user = False

    def check(self) -> None:
        """Raise KeyboardInterrupt where the user has asked for the end."""
        if self.by_user:
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Watch for the signal of Ctrl-C in the block. Only a main thread gets it; elsewhere none is ever the user's."""
    watch = Interrupts()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
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
