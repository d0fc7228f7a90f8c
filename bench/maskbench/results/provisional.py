"""Notices when the first seed is done, so that its results can be shown while the others are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Thread

from maskbench.executors.executor import Observer, StageOutcome
from maskbench.planning.matrix import Matrix
from maskbench.planning.plan import Plan, Step


class FirstSeed:
    """An observer that hands everything on to another one, and calls a function once the first seed is done.

    The function runs in a thread of its own, so that nobody waits for it; what it raises ends no run. It is not called
    where there is one seed only, or where nothing is left to do when the first is done.
    """

    def __init__(
        self, observer: Observer, matrix: Matrix, plan: Plan, then: Callable[[Mapping[str, StageOutcome]], None]
    ) -> None:
        self._observer, self._then = observer, then
        self._outcomes: dict[str, StageOutcome] = {}
        scorings = (cell.scoring for cell in of_first_seed(matrix).cells)
        self._awaited = {plan.key(matrix.data), *(plan.key(each) for each in scorings if each is not None)}
        self._to_make = 0
        self._thread: Thread | None = None
        self._has_one_seed = matrix.suite.seeds == 1

    def wait(self) -> None:
        """Wait until the function has returned, where it was called."""
        if self._thread is not None:
            self._thread.join()

    def planned(self, steps: int, stored: int) -> None:
        """See ``Observer``."""
        self._to_make = steps - stored
        self._observer.planned(steps, stored)

    def started(self, step: Step) -> None:
        """See ``Observer``."""
        self._observer.started(step)

    def waiting(self, step: Step) -> None:
        """See ``Observer``."""
        self._observer.waiting(step)

    def progressed(self, step: Step, share: float) -> None:
        """See ``Observer``."""
        self._observer.progressed(step, share)

    def finished(self, outcome: StageOutcome) -> None:
        """See ``Observer``."""
        self._observer.finished(outcome)
        self._outcomes[outcome.step.key] = outcome
        self._awaited.discard(outcome.step.key)
        self._to_make -= outcome.source != "stored"
        if not self._awaited and self._to_make and self._thread is None and not self._has_one_seed:
            self._thread = Thread(target=self._then, args=(dict(self._outcomes),))
            self._thread.start()

    def remaining(self, seconds: float) -> None:
        """See ``Observer``."""
        self._observer.remaining(seconds)


def of_first_seed(matrix: Matrix) -> Matrix:
    """The cells of the first seed alone."""
    return replace(matrix, cells=tuple(cell for cell in matrix.cells if cell.seed == matrix.suite.first_seed))
