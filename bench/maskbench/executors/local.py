"""The in-process executor: the steps of a plan one after the other, for debuggers and for tests."""

from __future__ import annotations

import torch

from maskbench.artifacts.store import Artifact, Store
from maskbench.executors.executor import Observer, StageOutcome
from maskbench.executors.interrupts import interrupts
from maskbench.executors.step import Reports, StepMaker, found, inherited, stored_keys
from maskbench.executors.workers.estimates import Estimates, TimeLeft
from maskbench.planning.plan import Plan, Step


class LocalExecutor:
    """Runs a plan in this process: what ends or blocks the process ends or blocks the run."""

    def __init__(self, store: Store, device: torch.device) -> None:
        self.store = store
        self.device = device
        self._maker = StepMaker(store, device)

    def execute(self, plan: Plan, observer: Observer) -> dict[str, StageOutcome]:
        """Make every step that is not in the store. A failed step fails what needs it, and nothing else.

        Raises:
            UsageError: something is to be made and the store cannot be written to.
        """
        there = stored_keys(self.store, plan)
        observer.planned(len(plan.steps), len(there))
        if len(there) < len(plan.steps):
            self.store.require_writable()
            self.store.sweep()
        open_ = {key: step for key, step in plan.steps.items() if key not in there}
        estimates = Estimates()
        estimates.read(self.store, open_.values())
        left = TimeLeft(estimates, observer, places=1)
        outcomes: dict[str, StageOutcome] = {}
        with interrupts() as watch:
            for key, step in plan.steps.items():
                if key in there:
                    outcomes[key] = found(self.store, step)
                elif (missing := inherited(step, outcomes)) is not None:
                    outcomes[key] = missing
                else:
                    left.tell(open_.values())
                    observer.started(step)
                    outcomes[key] = self._maker.make(step, _Told(step, observer))
                    watch.check()
                    estimates.learn(outcomes[key])
                open_.pop(key, None)
                observer.finished(outcomes[key])
        return outcomes

    def read(self, key: str) -> Artifact:
        """The artifact of a step that was computed or stored."""
        return self.store.load(key)


class _Told(Reports):
    """Hands on to an observer what happens while a step is made."""

    def __init__(self, step: Step, observer: Observer) -> None:
        self._step, self._observer = step, observer

    def waiting(self) -> None:
        """See ``Reports``."""
        self._observer.waiting(self._step)

    def progressed(self, share: float) -> None:
        """See ``Reports``."""
        self._observer.progressed(self._step, share)
