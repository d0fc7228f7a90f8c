"""The folder for a run's results: claimed when it is chosen, filled aside, moved into place when it is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from maskbench.errors import UsageError


@dataclass(frozen=True)
class Claim:
    """A folder that no other run writes to meanwhile.

    Attributes:
        folder: where the results will be.
        aside: where they are written until they are whole.
    """

    folder: Path
    aside: Path

    def finish(self) -> None:
        """Move what was written into its place, in one step."""
        if self.folder.is_dir():
            self.folder.rmdir()
        self.aside.rename(self.folder)


@contextmanager
def claimed(out: Path | None, suite: str) -> Iterator[Claim]:
    """Claim a folder for the results of a run; what is unfinished when the block ends is removed.

    Args:
        out: the folder; None takes ``runs/SUITE-DATE``, with a number where another run had it first.

    Raises:
        UsageError: it holds something already, for results are never written over; another run writes to it; or it
            cannot be made.
    """
    if out is not None:
        with _held(out) as claim:
            if claim is None:
                raise UsageError(f"Another run is writing to {out}: choose another --out. Nothing was written.")
            yield claim
        return
    named = Path("runs") / f"{suite}-{datetime.now():%Y%m%d-%H%M%S}"
    for number in count(1):
        folder = named if number == 1 else named.with_name(f"{named.name}-{number}")
        if folder.exists():
            continue
        with _held(folder) as claim:
            if claim is not None:
                yield claim
                return


@contextmanager
def _held(folder: Path) -> Iterator[Claim | None]:
    """Claim a folder by a lock beside it, which ends with the process; None where another run has it."""
    _require_empty(folder)
    _require_writable(folder)
    made = [place for place in folder.absolute().parents if not place.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    path, aside = (folder.with_name(f".{folder.name}.{kind}") for kind in ("lock", "unfinished"))
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield None
        return
    try:
        # Once more: another run may have finished here a moment ago.
        _require_empty(folder)
        shutil.rmtree(aside, ignore_errors=True)  # what a killed run left
        yield Claim(folder, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        path.unlink(missing_ok=True)
        lock.release()
        for place in made:
            with suppress(OSError):  # something lies in it
                place.rmdir()


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and is not empty: choose another --out. Nothing was written.")


def _require_writable(folder: Path) -> None:
    # Said now, not after hours of work; made later, so that a run which cannot start leaves nothing behind.
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be made, because {there} cannot be written to: choose another --out.")
