"""What a step will take, from what like steps took: for the order of work, for the time left, and for memory."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from statistics import fmean

from maskbench.artifacts.store import Store
from maskbench.errors import DamagedArtifact
from maskbench.executors.executor import Observer, StageOutcome
from maskbench.planning.plan import Step
from maskbench.planning.work import expected_work

_SEED = re.compile(r" · seed \d+")
_MEMORY = 1 << 30  # bytes that a stage is taken to need of which nothing is known
_BETWEEN = 1.0  # seconds between two estimates of the time left: to add them up takes its time, too


class Estimates:
    """Learns from every outcome; seeds do not count as differences."""

    def __init__(self) -> None:
        self._purposes: dict[str, str] = {}
        self._seconds: dict[str, float] = {}
        self._seconds_of_kind: dict[str, list[float]] = defaultdict(list)
        self._memory_of_kind: dict[str, int] = {}

    def read(self, store: Store, steps: Iterable[Step]) -> None:
        """Learn from what was stored last for the purpose of each step."""
        wanted = {self._purpose(step) for step in steps}
        last = {
            purpose: entry["key"]
            for entry in store.journal()
            if (purpose := _SEED.sub("", str(entry["slot"]))) in wanted
        }
        for purpose, key in last.items():
            try:
                description = store.describe(key)
            except (KeyError, DamagedArtifact):  # it was removed since
                continue
            self._learn(purpose, description["stage"], description["timing"])

    def learn(self, outcome: StageOutcome) -> None:
        """Learn from a step that was computed."""
        if outcome.source == "computed":
            self._learn(self._purpose(outcome.step), outcome.step.stage.kind, dict(outcome.timing))

    def seconds(self, step: Step) -> float:
        """How long a step will take."""
        known = self._seconds.get(self._purpose(step))
        if known is not None:
            return known
        alike = self._seconds_of_kind.get(step.stage.kind)
        return fmean(alike) if alike else expected_work(step.stage)

    def timed(self, step: Step) -> bool:
        """Whether any like step was timed; if not, how long it takes is a guess that knows nothing of this machine."""
        return self._purpose(step) in self._seconds or bool(self._seconds_of_kind.get(step.stage.kind))

    def memory(self, step: Step) -> int:
        """How many bytes its process will hold at the peak."""
        return self._memory_of_kind.get(step.stage.kind, _MEMORY)

    def _learn(self, purpose: str, kind: str, timing: dict[str, object]) -> None:
        seconds, peak = timing.get("seconds"), timing.get("peak_memory")
        if isinstance(seconds, int | float):
            self._seconds[purpose] = float(seconds)
            self._seconds_of_kind[kind].append(float(seconds))
        if isinstance(peak, int) and timing.get("peak_memory_of") == "process, this stage":
            self._memory_of_kind[kind] = max(peak, self._memory_of_kind.get(kind, 0))

    def _purpose(self, step: Step) -> str:
        """What a step is for, whatever the seed: titles of stages are long to make."""
        if step.key not in self._purposes:
            self._purposes[step.key] = _SEED.sub("", step.stage.slot())
        return self._purposes[step.key]


class TimeLeft:
    """Says now and then how long the rest of a run will take.

    Args:
        estimates: what is known of the steps.
        observer: who is told.
        places: how many steps are made at once.
    """

    def __init__(self, estimates: Estimates, observer: Observer, places: float) -> None:
        self._estimates, self._observer, self._places = estimates, observer, places
        self._told = float("-inf")

    def tell(self, open_steps: Collection[Step]) -> None:
        """Tell it, unless that was done a moment ago; ``open_steps`` are those that are not done."""
        if time.monotonic() > self._told + _BETWEEN:
            self._told = time.monotonic()
            self._observer.remaining(sum(map(self._estimates.seconds, open_steps)) / self._places)
