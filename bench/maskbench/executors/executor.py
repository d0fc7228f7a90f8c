"""What an executor is: it makes the stages of a plan, wherever it makes them, and hands out what they made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from maskbench.artifacts.store import Artifact, Store
from maskbench.planning.plan import Plan, Step

MISSING = ("failed", "unavailable")
"""Sources of an outcome that has no artifact."""


@dataclass(frozen=True)
class StageOutcome:
    """What became of a step.

    Attributes:
        source: "computed" in this run, "stored" by an earlier one, "failed", or "unavailable": it cannot run here.
        reason: why it failed or cannot run.
        trace: the traceback of a failure, for the log.
        timing: when the work was done: seconds, device, memory; as stored with the artifact.
        out_of_memory: whether it failed for want of memory.
    """

    step: Step
    source: str
    reason: str = ""
    trace: str = ""
    timing: Mapping[str, Any] = field(default_factory=dict)
    out_of_memory: bool = False


class Observer(Protocol):
    """Who is told what happens: a progress display, or a test."""

    def planned(self, steps: int, stored: int) -> None:
        """The store was searched: so many steps in all, so many of them are there."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def waiting(self, step: Step) -> None:
        """Another run makes this step, and this run waits for it."""

    def progressed(self, step: Step, share: float) -> None:
        """A step is done in part."""

    def finished(self, outcome: StageOutcome) -> None:
        """A step is done, was found, or failed."""

    def remaining(self, seconds: float) -> None:
        """The rest will take about so long, as far as the times of like stages tell."""


class Silent:
    """An observer that looks away."""

    def planned(self, steps: int, stored: int) -> None:
        """See ``Observer``."""

    def started(self, step: Step) -> None:
        """See ``Observer``."""

    def waiting(self, step: Step) -> None:
        """See ``Observer``."""

    def progressed(self, step: Step, share: float) -> None:
        """See ``Observer``."""

    def finished(self, outcome: StageOutcome) -> None:
        """See ``Observer``."""

    def remaining(self, seconds: float) -> None:
        """See ``Observer``."""


class Executor(Protocol):
    """Makes the steps of a plan. What it runs on, and in which order, changes no result."""

    @property
    def store(self) -> Store:
        """Where the artifacts lie."""

    @property
    def device(self) -> torch.device:
        """What the stages are computed on."""

    def execute(self, plan: Plan, observer: Observer) -> dict[str, StageOutcome]:
        """Make every step that is not there yet: key → outcome. A failed step fails what needs it, nothing else."""

    def read(self, key: str) -> Artifact:
        """The artifact of a step that was computed or stored."""
