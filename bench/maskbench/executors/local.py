"""The in-process executor: the steps of a plan one after the other, each made once and found again later."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch

from maskbench.artifacts.store import Artifact, Store, StoreUnwritable
from maskbench.errors import ContractViolation, MaskbenchError, TimeLimitReached, Unavailable
from maskbench.executors.executor import MISSING, Observer, StageOutcome
from maskbench.executors.functions import Functions
from maskbench.executors.hardware import Meter, device_name
from maskbench.executors.interrupts import Interrupts, interrupts
from maskbench.executors.pinned import complaint, pinned
from maskbench.executors.time_limit import time_limit
from maskbench.planning.plan import Plan, Step
from maskbench.stages.stage import Context


class LocalExecutor:
    """Runs a plan in this process."""

    def __init__(self, store: Store, device: torch.device) -> None:
        self.store = store
        self.device = device
        self._functions = Functions()

    def execute(self, plan: Plan, observer: Observer) -> dict[str, StageOutcome]:
        """Make every step that is not in the store. A failed step fails what needs it, and nothing else.

        Raises:
            UsageError: something is to be made and the store cannot be written to.
        """
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            there = dict(zip(plan.steps, pool.map(self.store.verify, plan.steps), strict=True))
        observer.planned(len(plan.steps), sum(there.values()))
        if not all(there.values()):
            self.store.require_writable()
            self.store.sweep()
        outcomes: dict[str, StageOutcome] = {}
        with interrupts() as watch:
            for key, step in plan.steps.items():
                if there[key]:
                    outcomes[key] = self._found(step)
                else:
                    observer.started(step)
                    outcomes[key] = self._make(step, outcomes, observer, watch)
                observer.finished(outcomes[key])
        return outcomes

    def _found(self, step: Step) -> StageOutcome:
        return StageOutcome(step, "stored", timing=self.store.describe(step.key)["timing"])

    def _make(
        self, step: Step, outcomes: Mapping[str, StageOutcome], observer: Observer, watch: Interrupts
    ) -> StageOutcome:
        for key in step.inputs.values():
            if outcomes[key].source in MISSING:
                return StageOutcome(step, outcomes[key].source, outcomes[key].reason)
        with self.store.turn(step.key, lambda: observer.waiting(step)):
            if self.store.verify(step.key):  # another run made it while this one waited for its turn
                return self._found(step)
            try:
                outcome = self._run(step, observer)
            except StoreUnwritable:  # no fault of the step: every other would meet it too
                raise
            except Unavailable as error:
                outcome = StageOutcome(step, "unavailable", str(error))
            # Whatever a plug-in raises becomes a failed cell with its reason, sys.exit() and its kin as well.
            except BaseException as error:  # noqa: BLE001
                outcome = StageOutcome(step, "failed", explain(error, step), traceback.format_exc())
            watch.check()
            return outcome

    def _run(self, step: Step, observer: Observer) -> StageOutcome:
        inputs = {name: self.read(key) for name, key in step.inputs.items()}
        context = Context(self.device, lambda share: observer.progressed(step, share))
        meter = Meter(self.device)
        artifact = self._pinned(step, inputs, context)
        timing = {
            "seconds": meter.stop(),
            **meter.memory(),
            "device": device_name(self.device),
            "finished": time.time(),
        }
        description = {"stage": step.stage.kind, "slot": step.stage.slot(), "ingredients": step.ingredients}
        self.store.save(step.key, artifact, {**description, "timing": timing})
        return StageOutcome(step, "computed", timing=timing)

    def _pinned(self, step: Step, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        """Do the work with everything pinned that is in no key; who changes it fails by that, whatever came of it."""
        changed: list[str] = []
        title = step.stage.title()
        try:
            with pinned(_seed(step), self._functions, changed), time_limit(step.stage.time_limit, title):
                artifact = step.stage.run(inputs, context)
        except TimeLimitReached:  # it stops the work anywhere, between a change and its end too
            raise
        except BaseException as error:
            if changed:
                after = f" ({type(error).__name__}: {error})"
                raise ContractViolation(f"{title} {complaint(changed)}{after}") from error
            raise
        if changed:
            raise ContractViolation(f"{title} {complaint(changed)}")
        return artifact

    def read(self, key: str) -> Artifact:
        """An artifact. None is kept between steps, so that no stage has in its process what it does not read."""
        return self.store.load(key)


def _seed(step: Step) -> int:
    """Of the global generators: the same whenever the step is made."""
    return int(step.key[:8], 16)


def explain(error: BaseException, step: Step) -> str:
    """One line that says what failed and why; our own errors speak for themselves."""
    if isinstance(error, MaskbenchError):
        return str(error)
    return f"{step.stage.title()}: {type(error).__name__}: {error}"
