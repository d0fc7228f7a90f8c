"""Stages that do something to their process; each worker imports this module, so it imports little."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from stage_plans import Leaf, written


@dataclass(frozen=True)
class Exits(Leaf):
    def does(self) -> None:
        os._exit(3)


@dataclass(frozen=True)
class Crashes(Leaf):
    def does(self) -> None:
        ctypes.string_at(0)


@dataclass(frozen=True)
class IsKilled(Leaf):
    def does(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class IsKilledOnce(Leaf):
    def does(self) -> None:
        if [what for name, what, _ in written(Path(self.journal)) if name == self.name].count("begins") == 1:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class LacksMemory(Leaf):
    def does(self) -> None:
        raise MemoryError


@dataclass(frozen=True)
class Hangs(Leaf):
    def does(self) -> None:
        while True:
            try:
                time.sleep(60)
            except BaseException:  # noqa: BLE001 - it is what this one is for
                continue


@dataclass(frozen=True)
class Blocks(Leaf):
    def does(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        time.sleep(600)


@dataclass(frozen=True)
class Swallows(Leaf):
    def does(self) -> None:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001 - it is what this one is for
            return


@dataclass(frozen=True)
class Forks(Leaf):
    def does(self) -> None:
        if os.fork() == 0:
            time.sleep(600)
        os._exit(4)


@dataclass(frozen=True)
class Unsendable(Leaf):
    @property
    def lock(self) -> None:
        """Not of the class."""

    def __reduce__(self) -> object:
        raise TypeError("cannot be pickled")


@dataclass(frozen=True)
class Timed(Leaf):
    timed = True
