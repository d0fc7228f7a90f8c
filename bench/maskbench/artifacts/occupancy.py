"""Who uses a store: runs, side by side; or whoever takes artifacts away, alone.

A run relies on what it found when it began, so nothing may vanish under it. Each run holds a lock file of its own in
``runs/`` for as long as it lasts; a killed run's lock is free again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from maskbench.errors import UsageError

RUNS = "runs"
"""The folder of what runs leave in a store for as long as they last."""

_GATE = "maintenance.lock"


@contextmanager
def occupied(root: Path) -> Iterator[None]:
    """Hold a store for a run in the block; waits where artifacts are being taken away.

    Where no lock can be made, the run goes on without: a store that cannot be written to loses nothing either.
    """
    own = root / RUNS / f"{uuid.uuid4().hex}.lock"
    lock = FileLock(own)
    with suppress(OSError):
        own.parent.mkdir(exist_ok=True)
        with FileLock(root / _GATE):
            lock.acquire()
    try:
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):
                own.unlink()
            lock.release()


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep runs out of a store in the block: those that begin wait for its end.

    Raises:
        UsageError: runs are at work in it, or something is taken away from it already.
    """
    try:
        with FileLock(root / _GATE, timeout=0):
            at_work = runs_at_work(root)
            if at_work:
                runs = "A run is" if at_work == 1 else f"{at_work} runs are"
                raise UsageError(f"{runs} at work in the store {root}: try again afterwards, or see with --dry-run.")
            for left in (root / RUNS).glob("*"):  # by runs that were killed
                left.unlink(missing_ok=True)
            yield
    except Timeout:
        raise UsageError(f"The store {root} is being pruned already: try again afterwards.") from None


def runs_at_work(root: Path) -> int:
    """How many runs hold a store; what killed ones left is taken away."""
    count = 0
    for path in (root / RUNS).glob("*.lock"):
        try:
            with FileLock(path, timeout=0):
                path.unlink(missing_ok=True)
        except Timeout:
            count += 1
    return count
