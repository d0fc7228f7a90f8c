"""Makes one step of a plan, in whatever process: pinned, limited in time, measured, and saved."""

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
from maskbench.executors.pinned import complaint, pinned
from maskbench.executors.time_limit import time_limit
from maskbench.numerics import Numerics
from maskbench.planning.plan import Plan, Step
from maskbench.stages.stage import Context


class Reports:
    """Who is told what happens while a step is made; this one looks away."""

    def waiting(self) -> None:
        """Another run makes the step, and this one waits for it."""

    def began(self) -> None:
        """The work begins: from here its time counts."""

    def progressed(self, share: float) -> None:
        """A share of the work is done, in [0, 1]. Called from amid the work: it may not block."""

    def worked(self) -> None:
        """The work is done; what it made is saved next."""


class StepMaker:
    """Makes steps in this process, one after the other.

    Nothing of a step stays in memory for the next one: each reads its inputs from the store. So the owner's raw
    pictures are not in the process while an attack runs, unless they are handed to it.
    """

    def __init__(self, store: Store, device: torch.device) -> None:
        self._store = store
        self._device = device
        self._functions = Functions()

    def make(self, step: Step, reports: Reports | None = None, *, alone: bool = True) -> StageOutcome:
        """Make a step whose inputs are in the store, or find it there; whatever its code raises is its outcome.

        Args:
            reports: told what happens meanwhile.
            alone: whether nothing else of the run is at work; kept with the time that it takes.

        Raises:
            StoreUnwritable: what was made cannot be kept; no fault of the step, and every other would meet it too.
        """
        reports = reports or Reports()
        with self._store.turn(step.key, reports.waiting):
            if self._store.verify(step.key):  # another run made it while this one waited for its turn
                return found(self._store, step)
            try:
                return self._run(step, reports, alone)
            except StoreUnwritable:
                raise
            except Unavailable as error:
                return StageOutcome(step, "unavailable", str(error))
            # Whatever a plug-in raises becomes a failed cell with its reason, sys.exit() and its kin as well.
            except BaseException as error:  # noqa: BLE001
                trace = traceback.format_exc()
                return StageOutcome(step, "failed", explain(error, step), trace, out_of_memory=_is_memory(error))

    def _run(self, step: Step, reports: Reports, alone: bool) -> StageOutcome:
        inputs = {name: self._store.load(key) for name, key in step.inputs.items()}
        device = step.device(self._device)
        meter = Meter(device)
        reports.began()
        artifact = self._pinned(step, inputs, Context(device, reports.progressed))
        reports.worked()
        timing = {
            "seconds": meter.stop(),
            **meter.memory(),
            "device": device_name(device),
            "finished": time.time(),
            "alone": alone,
        }
        description = {"stage": step.stage.kind, "slot": step.stage.slot(), "ingredients": step.ingredients}
        self._store.save(step.key, artifact, {**description, "timing": timing})
        return StageOutcome(step, "computed", timing=timing)

    def _pinned(self, step: Step, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        """Do the work with everything pinned that is in no key; who changes it fails by that, whatever came of it."""
        changed: list[str] = []
        title = step.stage.title()
        try:
            numerics = Numerics.of(step.ingredients["numerics"])
            with pinned(_seed(step), self._functions, changed, numerics), time_limit(step.stage.time_limit, title):
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


def stored_keys(store: Store, plan: Plan) -> frozenset[str]:
    """The keys of a plan whose artifacts are whole in the store; damaged ones are taken away."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        there = pool.map(store.verify, plan.steps)
        return frozenset(key for key, is_there in zip(plan.steps, there, strict=True) if is_there)


def found(store: Store, step: Step) -> StageOutcome:
    """The outcome of a step that is in the store."""
    return StageOutcome(step, "stored", timing=store.describe(step.key)["timing"])


def outcomes_at_hand(store: Store, plan: Plan, observer: Observer) -> dict[str, StageOutcome]:
    """Key → outcome of each step that is in the store, and the observer is told."""
    there = stored_keys(store, plan)
    observer.planned(len(plan.steps), len(there))
    outcomes = {key: found(store, plan.steps[key]) for key in there}
    for outcome in outcomes.values():
        observer.finished(outcome)
    return outcomes


def inherited(step: Step, outcomes: Mapping[str, StageOutcome]) -> StageOutcome | None:
    """The outcome of a step that cannot be made because something that it reads is missing; None where all is there."""
    for key in step.inputs.values():
        outcome = outcomes[key]
        if outcome.source in MISSING:
            return StageOutcome(step, outcome.source, outcome.reason)
    return None


def explain(error: BaseException, step: Step) -> str:
    """One line that says what failed and why; our own errors speak for themselves."""
    if isinstance(error, MaskbenchError):
        return str(error)
    return f"{step.stage.title()}: {type(error).__name__}: {error}"


def _seed(step: Step) -> int:
    """Of the global generators: the same whenever the step is made."""
    return int(step.key[:8], 16)


def _is_memory(error: BaseException) -> bool:
    """Whether memory could not be had; on the CPU, torch says so in words alone."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
