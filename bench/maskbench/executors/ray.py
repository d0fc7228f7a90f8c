"""The Ray executor: the steps of a plan as tasks of a Ray cluster, which places them, and starts them again elsewhere.

Tensors travel through the store alone, which all machines share; between driver and tasks go a stage, its key and what
became of it.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import ray
import torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from maskbench.artifacts.occupancy import RUNS
from maskbench.artifacts.store import Artifact, Store, StoreUnwritable
from maskbench.errors import UsageError
from maskbench.executors.executor import Observer, StageOutcome
from maskbench.executors.interrupts import StopRequests, stop_requests
from maskbench.executors.ray_cluster import connected, places
from maskbench.executors.ray_worker import Made, News, Refused, Reporter, Setup, make
from maskbench.executors.step import outcomes_at_hand
from maskbench.executors.time_limit import limit_reached
from maskbench.executors.workers.estimates import Estimates, TimeLeft
from maskbench.executors.workers.schedule import Schedule
from maskbench.planning.plan import Plan, Step
from maskbench.plugins.files import added_classes, added_files

_TICK = 0.3  # seconds between two looks at reports, time limits and signals
_PATIENCE = 5.0  # seconds for an answer of the actor that keeps the reports
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_TAKEN_ALONG = ("MASKBENCH_", "HF_", "TORCH_HOME")
"""Beginnings of environment variables that the tasks get as the driver has them."""


@dataclass
class RayExecutor:
    """Runs a plan on a Ray cluster.

    Attributes:
        address: as ``ray.init`` takes it: ``auto``, ``HOST:PORT``, or ``local`` for a cluster of this machine alone.
        gpus_per_stage: how many GPUs a stage gets, or which share of one; 0: it is computed on a CPU.
        retries: how often a stage is begun again whose process or machine was lost.
        grace: seconds after its time limit, in which a stage must have stopped by itself; then its process is ended.
    """

    store: Store
    address: str = "auto"
    gpus_per_stage: float = 0.0
    retries: int = 3
    grace: float = 10.0

    @property
    def device(self) -> torch.device:
        """What stages are computed on, wherever in the cluster; the driver's machine need not have it."""
        return torch.device("cuda" if self.gpus_per_stage else "cpu")

    def execute(self, plan: Plan, observer: Observer) -> dict[str, StageOutcome]:
        """Make every step that is not in the store. A failed step fails what needs it, and nothing else.

        Raises:
            UsageError: no such cluster, one without GPUs that were asked for, a store that its machines do not share,
                or one that cannot be written to.
            KeyboardInterrupt, SystemExit: the user stopped the run; see ``interrupts``.
        """
        outcomes = outcomes_at_hand(self.store, plan, observer)
        if len(outcomes) < len(plan.steps):
            self.store.require_writable()
            self.store.sweep()
            with stop_requests() as requests, connected(self.address), _marker(self.store) as marker:
                _Execution(self, plan, observer, outcomes, marker).run(requests)
        return {key: outcomes[key] for key in plan.steps}

    def read(self, key: str) -> Artifact:
        """The artifact of a step that was computed or stored."""
        return self.store.load(key)


class _Execution:
    """One plan in the making."""

    def __init__(
        self,
        executor: RayExecutor,
        plan: Plan,
        observer: Observer,
        outcomes: dict[str, StageOutcome],
        marker: Path,
    ) -> None:
        self._executor, self._plan, self._observer, self._outcomes = executor, plan, observer, outcomes
        self._places = places(executor.gpus_per_stage)
        self._estimates = Estimates()
        self._estimates.read(executor.store, [step for key, step in plan.steps.items() if key not in outcomes])
        self._schedule = Schedule(plan, outcomes.keys(), self._estimates.seconds, lambda step: False)
        self._setup = ray.put(_setup(executor, marker))
        self._reporter = _reporter()
        self._make = ray.remote(make).options(
            num_cpus=0 if executor.gpus_per_stage else 1,
            num_gpus=executor.gpus_per_stage,
            max_retries=executor.retries,
            runtime_env={"env_vars": _environment()},
        )
        self._at_work: dict[Any, Step] = {}
        self._deadlines: dict[str, float] = {}
        self._left = TimeLeft(self._estimates, observer, self._places)

    def run(self, requests: StopRequests) -> None:
        """Make the steps until of every one it is known what became of it."""
        try:
            while self._schedule.open:
                requests.check()
                self._begin_what_can_be()
                done, _ = ray.wait(list(self._at_work), timeout=_TICK)
                self._hear()
                for task in done:
                    self._take(task)
                self._end_what_is_late()
                self._left.tell(self._schedule.open)
        finally:
            for task in self._at_work:
                ray.cancel(task, force=True)
            ray.kill(self._reporter)

    def _begin_what_can_be(self) -> None:
        while (step := self._schedule.first()) is not None:
            self._schedule.take(step)
            try:
                pickled = cloudpickle.dumps(step)
            except Exception as error:  # noqa: BLE001 - whatever a class of a notebook holds
                reason = f"{step.stage.title()}: it cannot be sent to another process ({error})"
                self._decide(StageOutcome(step, "failed", reason))
                continue
            task = self._make.remote(self._setup, step.key, pickled, self._reporter)
            self._at_work[task] = step

    def _hear(self) -> None:
        """Hand on what the tasks reported; where the actor is lost, it starts again, and what it knew is lost."""
        try:
            news: list[News] = ray.get(self._reporter.take.remote(), timeout=_PATIENCE)
        except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError):
            return
        for key, event, share in news:
            step = self._plan.steps[key]
            if key in self._outcomes:  # of a task that was given up
                continue
            if event == "started":
                self._observer.started(step)
            elif event == "waiting":
                self._observer.waiting(step)
            elif event == "progressed":
                self._observer.progressed(step, share)
            elif event == "began" and step.stage.time_limit is not None:
                self._deadlines[key] = time.monotonic() + step.stage.time_limit + self._executor.grace
            elif event == "worked":
                self._deadlines.pop(key, None)

    def _take(self, task: Any) -> None:
        """Enter what became of a step whose task is over."""
        step = self._at_work.pop(task)
        self._deadlines.pop(step.key, None)
        try:
            made: Made | Refused = ray.get(task)
        except ray.exceptions.RayError as error:
            self._decide(
                StageOutcome(
                    step, "failed", f"{step.stage.title()}: {_lost(error, self._executor.retries + 1)}", str(error)
                )
            )
            return
        if isinstance(made, Refused) and made.unwritable:
            raise StoreUnwritable(self._executor.store.root, Exception(made.reason))
        if isinstance(made, Refused):
            raise UsageError(
                f"The store {self._executor.store.root} must lie where all machines see it: {made.reason}. Choose "
                "another --store."
            )
        self._decide(StageOutcome(step, made.source, made.reason, made.trace, made.timing))

    def _end_what_is_late(self) -> None:
        now = time.monotonic()
        for task, step in list(self._at_work.items()):
            if now > self._deadlines.get(step.key, now):
                del self._at_work[task], self._deadlines[step.key]
                ray.cancel(task, force=True)
                limit = limit_reached(step.stage.time_limit or 0.0, step.stage.title())
                reason = f"{limit}; it went on, so its process was ended"
                self._decide(StageOutcome(step, "failed", reason, reason))

    def _decide(self, outcome: StageOutcome) -> None:
        self._estimates.learn(outcome)
        for each in self._schedule.decide(outcome, self._outcomes):
            self._observer.finished(each)


@contextmanager
def _marker(store: Store) -> Iterator[Path]:
    """A file in the store for as long as the block lasts: a machine that does not see it has another store there."""
    path = store.root.absolute() / RUNS / f"{uuid.uuid4().hex}.seen"
    path.parent.mkdir(exist_ok=True)
    path.touch()
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink()


def _setup(executor: RayExecutor, marker: Path) -> Setup:
    return Setup(
        import_paths=_import_paths(),
        folder=str(Path.cwd()),
        plugin_files=tuple(map(str, added_files())),
        plugin_classes=cloudpickle.dumps(added_classes()),
        store=str(executor.store.root.absolute()),
        marker=str(marker),
        device=str(executor.device),
    )


def _import_paths() -> tuple[str, ...]:
    return tuple(os.path.abspath(path) for path in sys.path)  # noqa: PTH100 - "" is the working folder


def _environment() -> dict[str, str]:
    taken = {name: value for name, value in os.environ.items() if name.startswith(_TAKEN_ALONG)}
    return {**taken, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONPATH": os.pathsep.join(_import_paths())}


def _reporter() -> Any:
    """The actor that keeps the reports, on the driver's machine, which lasts as long as the run."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    options = {"num_cpus": 0, "max_restarts": -1, "scheduling_strategy": here}
    return ray.remote(Reporter).options(**options, runtime_env={"env_vars": _environment()}).remote()


def _lost(error: Exception, times: int) -> str:
    """Why a task gave nothing, in words."""
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return f"its machine ran out of memory; tries: {times}"
    if isinstance(error, ray.exceptions.WorkerCrashedError | ray.exceptions.NodeDiedError):
        return f"its process or machine was lost; tries: {times}"
    return f"{type(error).__name__}: {str(error).splitlines()[0]}"
