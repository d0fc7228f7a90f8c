"""What runs in the processes of a Ray cluster: making one step, and reporting of it to the driver."""

from __future__ import annotations

import os
import pickle
import socket
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from maskbench.artifacts.store import Store, StoreUnwritable
from maskbench.executors.hardware import choose_device
from maskbench.executors.step import Reports, StepMaker
from maskbench.parallel import grant_cores
from maskbench.planning.plan import Step
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.files import add_file

_EVERY = 0.5  # seconds between two reports of progress

Event = Literal["started", "waiting", "began", "progressed", "worked"]
"""What may happen while a step is made."""

News = tuple[str, Event, float]
"""Key of a step, what happened, and the share that is done where it progressed."""


@dataclass(frozen=True)
class Setup:
    """What a process needs to be like the driver's.

    Attributes:
        import_paths: where modules are found.
        folder: the driver's working folder.
        plugin_files: named with ``--plugin``.
        plugin_classes: classes that were handed over from Python, pickled by cloudpickle.
        store: its folder; ``marker`` is a file in it, by which a process knows that it sees the same store.
        device: cpu, or cuda: the one that Ray lets the process see.
    """

    import_paths: tuple[str, ...]
    folder: str
    plugin_files: tuple[str, ...]
    plugin_classes: bytes
    store: str
    marker: str
    device: str


@dataclass(frozen=True)
class Made:
    """What became of a step, as ``StageOutcome`` has it."""

    source: str
    reason: str
    trace: str
    timing: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """Why nothing can be made, of whatever step."""

    reason: str
    unwritable: bool = False


class Reporter:
    """An actor that keeps news for the driver until it asks."""

    def __init__(self) -> None:
        self._news: list[News] = []

    def tell(self, news: News) -> None:
        """Keep something."""
        self._news.append(news)

    def take(self) -> list[News]:
        """All that came since the last time."""
        news, self._news = self._news, []
        return news


class _Told(Reports):
    """Sends reports to the actor.

    The work may be stopped anywhere by an alarm, amid a call too; so while it goes on, only another thread calls.
    """

    def __init__(self, key: str, reporter: Any) -> None:
        self._key, self._reporter = key, reporter
        self._share = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._report, daemon=True)

    def __enter__(self) -> _Told:
        self._tell("started")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def waiting(self) -> None:
        """See ``Reports``."""
        self._tell("waiting")

    def began(self) -> None:
        """See ``Reports``."""
        self._tell("began")

    def progressed(self, share: float) -> None:
        """See ``Reports``."""
        self._share = share

    def worked(self) -> None:
        """See ``Reports``."""
        self._tell("worked")

    def _report(self) -> None:
        told = 0.0
        while not self._over.wait(_EVERY):
            share = self._share
            if share != told:
                told = share
                self._tell("progressed", share)

    def _tell(self, event: Event, share: float = 0.0) -> None:
        with suppress(Exception):  # the actor may be lost with its machine: reports are no part of the work
            self._reporter.tell.remote((self._key, event, share))


def make(setup: Setup, key: str, pickled: bytes, reporter: Any) -> Made | Refused:
    """Make a step in this process, whose inputs are in the store.

    Args:
        key: of the step.
        pickled: the step, by cloudpickle.
        reporter: a handle on a ``Reporter``.
    """
    if not Path(setup.marker).is_file():
        return Refused(f"the machine {socket.gethostname()} does not see it")
    try:
        maker = _like_the_driver(setup)
        step: Step = pickle.loads(pickled)
    except BaseException as error:  # noqa: BLE001 - it runs code of plug-ins
        return Made("failed", f"A process of the cluster cannot read the stage: {_told(error)}", _trace(), {})
    with _Told(key, reporter) as reports:
        try:
            outcome = maker.make(step, reports, alone=False)
        except StoreUnwritable as error:
            return Refused(error.reason, unwritable=True)
        except BaseException as error:  # noqa: BLE001 - damaged input, say: the driver goes on with the rest
            return Made("failed", f"{step.stage.title()}: {_told(error)}", _trace(), {})
    return Made(outcome.source, outcome.reason, outcome.trace, dict(outcome.timing))


@lru_cache(maxsize=1)
def _like_the_driver(setup: Setup) -> StepMaker:
    """Find the modules, the plug-ins and the files that the driver finds; once in a process, until they change."""
    sys.path[:] = [*setup.import_paths, *(path for path in sys.path if path not in setup.import_paths)]
    with suppress(OSError):  # what is named relative to it is not found here, and that is said then
        os.chdir(setup.folder)
    grant_cores(1)
    for file in setup.plugin_files:
        add_file(Path(file))
    for plugin in pickle.loads(setup.plugin_classes):
        catalogue().add(plugin)
    return StepMaker(Store(Path(setup.store)), choose_device(setup.device))


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _trace() -> str:
    return traceback.format_exc()
