"""Stopping work that takes too long."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from maskbench.errors import TimeLimitReached


@contextmanager
def time_limit(seconds: float | None, title: str) -> Iterator[None]:
    """Raise TimeLimitReached in the block once it has taken so many seconds; None: never.

    By an alarm signal, which interrupts Python code anywhere; a call into a library is left to return first. Only a
    main thread can be interrupted so; elsewhere, and on systems without the signal, the block runs to its end. A block
    that catches the exception fails by it all the same, once it ends; whoever runs plug-ins in another process ends
    that process where it does not.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    reached = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal reached
        reached = True
        raise TimeLimitReached(limit_reached(seconds, title))

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except BaseException as error:
        if reached and not isinstance(error, TimeLimitReached):
            raise TimeLimitReached(limit_reached(seconds, title)) from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if reached:
        raise TimeLimitReached(limit_reached(seconds, title))


def limit_reached(seconds: float, title: str) -> str:
    """What is said of work that was stopped."""
    return f"{title}: stopped at its limit of {seconds:g} s"
