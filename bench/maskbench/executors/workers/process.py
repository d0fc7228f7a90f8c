"""The driver's handle on a worker process: starts it, speaks with it, ends it, and says why it died."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection

import psutil

from maskbench.executors.workers.messages import Answer, Make, Setup, Stop
from maskbench.planning.plan import Step

_MODULE = "maskbench.executors.workers.worker"
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_SHOWN = 16_000  # characters of the end of what a worker printed


class WorkerProcess:
    """A worker process.

    Attributes:
        is_ready: whether it has said that it can take steps.
        step: what it is at; None while it is idle.
        alone: whether nothing else may be at work meanwhile.
        deadline: when the step is out of time, by the monotonic clock; None while that does not count.
    """

    def __init__(self, setup: Setup) -> None:
        ours, theirs = socket.socketpair()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as the worker lives
        environment = {
            **os.environ,
            **dict.fromkeys(_ONE_THREAD, "1"),
            "PYTHONPATH": os.pathsep.join(filter(None, setup.import_paths)),
        }
        with theirs:
            self._process = subprocess.Popen(
                # -P: a file in the working folder that is called like a library is not imported in its place.
                [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,  # Ctrl-C does not reach it, and what it starts ends with it
            )
        self.connection = Connection(ours.detach())
        self._send(setup)
        self.is_ready = False
        self.step: Step | None = None
        self.alone = False
        self.deadline: float | None = None

    @property
    def identifier(self) -> int:
        """The number of the process."""
        return self._process.pid

    def make(self, step: Step, pickled: bytes, alone: bool) -> None:
        """Have a step made."""
        self.step, self.alone, self.deadline = step, alone, None
        self._send(Make(pickled, alone))

    def done(self) -> None:
        """The step is made, or given up."""
        self.step, self.alone, self.deadline = None, False, None

    def began(self, grace: float) -> None:
        """The step's time begins; what goes on for ``grace`` seconds after its limit does not stop by itself."""
        if self.step is not None and self.step.stage.time_limit is not None:
            self.deadline = time.monotonic() + self.step.stage.time_limit + grace

    def answers(self) -> tuple[list[Answer], bool]:
        """The messages that have come, and whether more can come."""
        found: list[Answer] = []
        try:
            while self.connection.poll():
                found.append(self.connection.recv())
        except Exception:  # noqa: BLE001 - it is closed, or what came is cut off or forged: there is no trusting it
            return found, False
        return found, True

    def memory(self) -> int:
        """Bytes that the process holds now."""
        try:
            return int(psutil.Process(self.identifier).memory_info().rss)
        except psutil.Error:
            return 0

    def has_ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.poll() is not None

    def ask_to_stop(self) -> None:
        """Have it end once nothing is being saved."""
        self._send(Stop())

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, but not for longer."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, seconds))

    def end(self) -> None:
        """End it at once, with the processes that it started, where it has not ended yet."""
        with suppress(ProcessLookupError, PermissionError):  # no process of the group is left
            os.killpg(self.identifier, signal.SIGKILL)
        self._process.wait()
        self.connection.close()
        self._output.close()

    def was_killed(self) -> bool:
        """Whether somebody ended the process by force: the system does where memory runs out."""
        return self._process.poll() == -signal.SIGKILL

    def death(self) -> str:
        """How the process ended."""
        code = self._process.poll()
        if code is None:
            return "its process closed the connection to the run"
        if code >= 0:
            return f"its process ended itself with code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"its process was ended by {name}"

    def printed(self) -> str:
        """The end of what the process printed."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), _SHOWN, max(0, size - _SHOWN)).decode(errors="replace")

    def _send(self, message: Setup | Make | Stop) -> None:
        with suppress(OSError):  # it has died: that is noticed where deaths are
            self.connection.send(message)
