"""The worker: a process that makes one step after the other, for the driver at the other end of a socket.

It lives no longer than the driver: where the connection ends, so does the worker, with all processes that it started.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from maskbench.artifacts.store import Store, StoreUnwritable
from maskbench.executors.hardware import choose_device
from maskbench.executors.step import Reports, StepMaker
from maskbench.executors.workers.messages import (
    Answer,
    Began,
    Made,
    Make,
    Progressed,
    Ready,
    Setup,
    Stop,
    Unwritable,
    Waiting,
    Worked,
)
from maskbench.parallel import grant_cores
from maskbench.planning.plan import Step
from maskbench.plugins.catalogue import catalogue
from maskbench.plugins.files import add_file

_EVERY = 0.25  # seconds between two reports of progress
_LOG = 1 << 20  # bytes that are kept of what was printed before
_DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG


class Channel(Reports):
    """The worker's side of the connection, and what it reports of the step at work.

    The work may be stopped anywhere by an alarm, amid a message too; so while it goes on, only another thread sends.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._share: float | None = None
        self.saving = threading.Lock()
        """Held while something is saved: who ends the worker waits for it."""
        threading.Thread(target=self._report, daemon=True).start()

    def send(self, answer: Answer) -> None:
        """Send a message; a driver that is gone ends the worker elsewhere."""
        with self._sending:
            try:
                self._connection.send(answer)
            except OSError:
                os._exit(1)

    def waiting(self) -> None:
        """See ``Reports``."""
        self.send(Waiting())

    def began(self) -> None:
        """See ``Reports``."""
        self.send(Began())

    def progressed(self, share: float) -> None:
        """See ``Reports``."""
        self._share = share

    def worked(self) -> None:
        """See ``Reports``."""
        self._share = None
        self.saving.acquire()
        self.send(Worked())

    def done(self, answer: Answer) -> None:
        """Send what became of a step."""
        self._share = None
        self.send(answer)
        if self.saving.locked():
            self.saving.release()

    def _report(self) -> None:
        told = None
        while True:
            threading.Event().wait(_EVERY)
            share = self._share
            if share is not None and share != told:
                told = share
                self.send(Progressed(share))


def main() -> None:
    """Serve the driver whose socket is inherited under the number that is the first argument."""
    _die_with_the_driver()
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to deal with
    connection = Connection(int(sys.argv[1]))
    setup: Setup = connection.recv()
    _be_like_the_driver(setup)
    maker = StepMaker(Store(Path(setup.store)), choose_device(setup.device))
    channel = Channel(connection)
    tasks: SimpleQueue[Make] = SimpleQueue()
    threading.Thread(target=_listen, args=(connection, channel, tasks), daemon=True).start()
    channel.send(Ready())
    while True:
        task = tasks.get()
        _forget_what_was_printed()
        channel.done(_made(task, maker, channel))


def _made(task: Make, maker: StepMaker, channel: Channel) -> Answer:
    try:
        step: Step = pickle.loads(task.step)
    except BaseException as error:  # noqa: BLE001 - it runs code of plug-ins
        return Made("failed", f"A worker process cannot read the stage: {_told(error)}", traceback.format_exc())
    try:
        outcome = maker.make(step, channel, alone=task.alone)
    except StoreUnwritable as error:
        return Unwritable(error.reason)
    except BaseException as error:  # noqa: BLE001 - damaged input, say: the driver goes on with the rest
        return Made("failed", f"{step.stage.title()}: {_told(error)}", traceback.format_exc())
    return Made(outcome.source, outcome.reason, outcome.trace, dict(outcome.timing), outcome.out_of_memory)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _be_like_the_driver(setup: Setup) -> None:
    """Find the modules and the plug-ins that the driver finds."""
    sys.path[:] = setup.import_paths
    if setup.python_path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = setup.python_path
    grant_cores(setup.cores)
    for file in setup.plugin_files:
        add_file(Path(file))
    for plugin in pickle.loads(setup.plugin_classes):
        catalogue().add(plugin)


def _listen(connection: Connection, channel: Channel, tasks: SimpleQueue[Make]) -> None:
    while True:
        try:
            message: Any = connection.recv()
        except (EOFError, OSError):
            os.killpg(os.getpgrp(), signal.SIGKILL)
        if isinstance(message, Stop):
            with channel.saving:
                os._exit(0)
        tasks.put(message)


def _die_with_the_driver() -> None:
    """On Linux the kernel sees to it, also where a call into a library never returns and no thread of ours runs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_OF_PARENT, signal.SIGKILL)


def _forget_what_was_printed() -> None:
    """Empty the file that output goes to where it grows; the driver shows its end where this process crashes."""
    sys.stdout.flush()
    if os.fstat(2).st_size > _LOG:
        os.ftruncate(2, 0)


if __name__ == "__main__":
    main()
