"""The driver: hands the steps of a plan to worker processes, and outlives whatever becomes of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait

import cloudpickle
import torch

from maskbench.artifacts.store import Artifact, Store, StoreUnwritable
from maskbench.errors import MaskbenchError
from maskbench.executors.executor import Observer, StageOutcome
from maskbench.executors.interrupts import StopRequests, stop_requests
from maskbench.executors.step import outcomes_at_hand
from maskbench.executors.time_limit import limit_reached
from maskbench.executors.workers.estimates import Estimates, TimeLeft
from maskbench.executors.workers.memory import has_room
from maskbench.executors.workers.messages import Answer, Began, Made, Progressed, Ready, Setup, Unwritable, Waiting
from maskbench.executors.workers.process import WorkerProcess
from maskbench.executors.workers.schedule import Schedule
from maskbench.parallel import usable_cores
from maskbench.planning.plan import Plan, Step
from maskbench.plugins.files import added_classes, added_files

_TICK = 0.2  # seconds between two looks at time limits, deaths and signals
_TO_SAVE = 10.0  # seconds that workers get to finish what they are saving when the run is stopped
_STARTS = 3  # workers in a row that end before they are ready: then none ever will
_KILLED_STARTS = 10  # in a row, where they are killed: that is no fault of theirs, unless it does not stop


class WorkersFail(MaskbenchError):
    """Worker processes end before they can take a step."""


@dataclass
class WorkersExecutor:
    """Runs a plan in worker processes on this machine.

    Attributes:
        jobs: at most so many stages are at work at once.
        exclusive_timing: whether stages whose time is reported are made while nothing else is at work.
        grace: seconds after its time limit, in which a stage must have stopped by itself; then its process is ended.
    """

    store: Store
    device: torch.device
    jobs: int
    exclusive_timing: bool = False
    grace: float = 10.0

    def execute(self, plan: Plan, observer: Observer) -> dict[str, StageOutcome]:
        """Make every step that is not in the store. A failed step fails what needs it, and nothing else.

        Raises:
            UsageError: something is to be made and the store cannot be written to.
            WorkersFail: no worker process can be started.
            KeyboardInterrupt, SystemExit: the user stopped the run; see ``interrupts``.
        """
        outcomes = outcomes_at_hand(self.store, plan, observer)
        if len(outcomes) < len(plan.steps):
            self.store.require_writable()
            self.store.sweep()
            with stop_requests() as requests:
                _Execution(self, plan, observer, outcomes).run(requests)
        return {key: outcomes[key] for key in plan.steps}

    def read(self, key: str) -> Artifact:
        """The artifact of a step that was computed or stored."""
        return self.store.load(key)


class _Execution:
    """One plan in the making."""

    def __init__(
        self, executor: WorkersExecutor, plan: Plan, observer: Observer, outcomes: dict[str, StageOutcome]
    ) -> None:
        self._executor, self._observer, self._outcomes = executor, observer, outcomes
        self._estimates = Estimates()
        missing = [step for key, step in plan.steps.items() if key not in outcomes]
        self._estimates.read(executor.store, missing)
        timed = (lambda step: step.stage.timed) if executor.exclusive_timing else (lambda step: False)
        self._schedule = Schedule(plan, outcomes.keys(), self._estimates.seconds, timed)
        self._jobs = min(executor.jobs, len(missing))
        self._setup = self._like_this_process()
        self._workers: list[WorkerProcess] = []
        self._failed_starts = 0
        self._left = TimeLeft(self._estimates, observer, self._jobs)
        self._killed_before: set[str] = set()

    def _like_this_process(self) -> Setup:
        return Setup(
            import_paths=tuple(os.path.abspath(path) for path in sys.path),  # noqa: PTH100 - "" is the working folder
            python_path=os.environ.get("PYTHONPATH"),
            plugin_files=tuple(map(str, added_files())),
            plugin_classes=cloudpickle.dumps(added_classes()),
            store=str(self._executor.store.root.absolute()),
            device=str(self._executor.device),
            cores=max(1, usable_cores() // max(1, self._jobs)),
        )

    def run(self, requests: StopRequests) -> None:
        """Make the steps until of every one it is known what became of it."""
        with self._ended_workers():
            while self._schedule.open:
                requests.check()
                self._begin_what_can_be()
                wait([worker.connection for worker in self._workers], timeout=_TICK)
                for worker in list(self._workers):
                    self._look_at(worker)

    @contextmanager
    def _ended_workers(self) -> Iterator[None]:
        """At the end none is left, however it comes: those that may be saving something finish that."""
        try:
            yield
        finally:
            try:
                saving = [worker for worker in self._workers if worker.is_ready and worker.step is not None]
                for worker in saving:
                    worker.ask_to_stop()
                until = time.monotonic() + _TO_SAVE
                for worker in saving:
                    worker.wait(until - time.monotonic())
            finally:
                for worker in list(self._workers):
                    self._end(worker)

    def _begin_what_can_be(self) -> None:
        while (step := self._schedule.first()) is not None and self._may_begin(step):
            if step.key in self._killed_before:  # nobody is at work: what the idle ones hold is free for it
                for idle in list(self._workers):
                    self._end(idle)
            worker = self._free_worker()
            if worker is None:
                return
            self._schedule.take(step)
            self._left.tell(self._schedule.open)
            try:
                pickled = cloudpickle.dumps(step)
            except Exception as error:  # noqa: BLE001 - whatever a class of a notebook holds
                reason = f"{step.stage.title()}: it cannot be sent to a worker process ({error}); --jobs 0 needs none"
                self._decide(StageOutcome(step, "failed", reason))
                continue
            self._observer.started(step)
            worker.make(step, pickled, alone=self._schedule.must_be_alone(step) or self._jobs == 1)

    def _may_begin(self, step: Step) -> bool:
        at_work = [worker for worker in self._workers if worker.step is not None]
        if not at_work:
            return True
        if self._schedule.must_be_alone(step) or any(worker.alone for worker in at_work):
            return False
        growth = [self._estimates.memory(worker.step) - worker.memory() for worker in at_work if worker.step]
        return has_room(self._estimates.memory(step), growth)

    def _free_worker(self) -> WorkerProcess | None:
        """A worker without work, or a new one where there may be more."""
        for worker in self._workers:
            if worker.step is None:
                return worker
        if len(self._workers) == self._jobs:
            return None
        self._workers.append(WorkerProcess(self._setup))
        return self._workers[-1]

    def _look_at(self, worker: WorkerProcess) -> None:
        ended = worker.has_ended()  # before the messages are read: what it said last comes before its end
        answers, more = worker.answers()
        for answer in answers:
            self._take(answer, worker)
        if ended or not more:
            self._died(worker)
        elif worker.step is not None and worker.deadline is not None and time.monotonic() > worker.deadline:
            step, seconds = worker.step, worker.step.stage.time_limit or 0.0
            reason = f"{limit_reached(seconds, step.stage.title())}; it went on, so its process was ended"
            outcome = StageOutcome(step, "failed", reason, f"{reason}\n{worker.printed()}")
            self._end(worker)
            self._decide(outcome)

    def _take(self, answer: Answer, worker: WorkerProcess) -> None:
        step = worker.step
        if isinstance(answer, Ready):
            worker.is_ready, self._failed_starts = True, 0
        elif isinstance(answer, Unwritable):
            raise StoreUnwritable(self._executor.store.root, Exception(answer.reason))
        elif step is None:  # it speaks of nothing that it was asked for
            return
        elif isinstance(answer, Waiting):
            self._observer.waiting(step)
        elif isinstance(answer, Began):
            worker.began(self._executor.grace)
        elif isinstance(answer, Progressed):
            self._observer.progressed(step, answer.share)
        elif isinstance(answer, Made):
            worker.done()
            outcome = StageOutcome(
                step, answer.source, answer.reason, answer.trace, answer.timing, answer.out_of_memory
            )
            if not (outcome.out_of_memory and self._again(step)):
                self._decide(outcome)
        else:  # the work is done, and is being saved
            worker.deadline = None

    def _died(self, worker: WorkerProcess) -> None:
        """A worker is gone; where it was at a step, the step has failed, or is made again alone."""
        worker.wait(_TICK)
        step, how, was_killed = worker.step, worker.death(), worker.was_killed()
        printed = worker.printed()
        self._end(worker)
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= (_KILLED_STARTS if was_killed else _STARTS):
                raise WorkersFail(f"Worker processes do not start: {how}. The last one said: {printed.strip()}")
            if step is not None:
                self._schedule.again(step, alone=False)
        elif step is not None:
            if was_killed:
                if self._again(step):
                    return
                how += ", twice, the second time with nothing else at work: it probably needs more memory than there is"
            reason = f"{step.stage.title()}: {how}"
            self._decide(StageOutcome(step, "failed", reason, f"{reason}\n{printed}"))

    def _again(self, step: Step) -> bool:
        """Have a step made again that was ended for want of memory, alone this time; False where it was before."""
        if step.key in self._killed_before:
            return False
        self._killed_before.add(step.key)
        self._schedule.again(step, alone=True)
        return True

    def _end(self, worker: WorkerProcess) -> None:
        worker.end()
        self._workers.remove(worker)

    def _decide(self, outcome: StageOutcome) -> None:
        self._estimates.learn(outcome)
        for each in self._schedule.decide(outcome, self._outcomes):
            self._observer.finished(each)
