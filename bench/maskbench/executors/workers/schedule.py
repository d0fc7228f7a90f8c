"""Which step is next: seeds in order, and within one first what most other work waits for."""

from __future__ import annotations

from collections.abc import Callable, Collection

from maskbench.executors.executor import StageOutcome
from maskbench.executors.step import inherited
from maskbench.planning.plan import Plan, Step


class Schedule:
    """The steps of a plan that are still to be made.

    The longest critical path goes first: the step from which the work that follows one after the other takes longest.

    Args:
        there: keys of the steps that are in the store.
        seconds: how long a step is thought to take.
        alone: whether a step must be made while nothing else is at work.
    """

    def __init__(
        self,
        plan: Plan,
        there: Collection[str],
        seconds: Callable[[Step], float],
        alone: Callable[[Step], bool],
    ) -> None:
        self._plan = plan
        self._open = {key: step for key, step in plan.steps.items() if key not in there}
        self._alone = {key for key, step in self._open.items() if alone(step)}
        self._needed_by: dict[str, list[Step]] = {}
        self._lacks: dict[str, set[str]] = {}
        for key, step in self._open.items():
            self._lacks[key] = {needed for needed in step.inputs.values() if needed in self._open}
            for needed in self._lacks[key]:
                self._needed_by.setdefault(needed, []).append(step)
        self._path = self._paths(seconds)
        self._ready = {key: step for key, step in self._open.items() if not self._lacks[key]}

    def _paths(self, seconds: Callable[[Step], float]) -> dict[str, float]:
        """Key → seconds from the begin of a step to the end of the last one that waits for it, whatever the workers."""
        paths: dict[str, float] = {}
        for key, step in reversed(self._open.items()):
            after = (paths[following.key] for following in self._needed_by.get(key, ()))
            paths[key] = seconds(step) + max(after, default=0.0)
        return paths

    @property
    def open(self) -> Collection[Step]:
        """The steps of which it is not known yet what becomes of them, those at work too."""
        return self._open.values()

    def must_be_alone(self, step: Step) -> bool:
        """Whether nothing else may be at work while a step is made."""
        return step.key in self._alone

    def first(self) -> Step | None:
        """The step to begin next; None where every one waits for those at work."""
        return min(self._ready.values(), key=self._order, default=None)

    def _order(self, step: Step) -> tuple[int, bool, float]:
        return self._plan.ranks[step.key], step.key in self._alone, -self._path[step.key]

    def take(self, step: Step) -> None:
        """A step is at work."""
        del self._ready[step.key]

    def again(self, step: Step, *, alone: bool) -> None:
        """A step that was at work is to be made again; ``alone`` says that nothing else may be at work meanwhile."""
        self._ready[step.key] = step
        if alone:
            self._alone.add(step.key)

    def decide(self, outcome: StageOutcome, outcomes: dict[str, StageOutcome]) -> list[StageOutcome]:
        """Enter what became of a step into the outcomes, and with it what can become of others no more.

        Returns:
            What was entered.
        """
        entered = [outcome]
        for each in entered:  # it grows
            key = each.step.key
            outcomes[key] = each
            del self._open[key]
            for following in self._needed_by.get(key, ()):
                self._lacks[following.key].discard(key)
                if self._lacks[following.key]:
                    continue
                missing = inherited(following, outcomes)
                if missing is None:
                    self._ready[following.key] = following
                else:
                    entered.append(missing)
        return entered
