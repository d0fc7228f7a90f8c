"""What a run is doing, while it does it."""

from __future__ import annotations

import time
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from maskbench.executors.executor import StageOutcome
from maskbench.planning.plan import Step

_BAR, _DONE, _CLOCK, _LEFT = 12, len("9999/9999"), len("10:00:00"), len("about 99 min left")
"""Columns that the parts of a line take, whatever stands in them: what is left is the title's."""

_OFTEN, _SELDOM = 5.0, 60.0
"""Seconds between two lines where there is no terminal: at first, and in a run of hours."""


def _is_live(console: Console) -> bool:
    return console.is_terminal or console.is_jupyter


class RunProgress:
    """Bars on a terminal: all stages, and each one at work. Lines now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._left = _Left()
        self._bars = Progress(
            TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=_BAR, table_column=Column(width=_BAR)),
            TextColumn("{task.fields[done]}", justify="right", table_column=Column(width=_DONE, no_wrap=True)),
            _Clock(table_column=Column(width=_CLOCK, no_wrap=True, justify="right")),
            _LeftColumn(self._left, table_column=Column(width=_LEFT, no_wrap=True)),
            console=console,
            transient=True,
            expand=True,
            disable=not _is_live(console),
        )
        self._all = self._bars.add_task("stages", total=None, done="", is_run=True)
        self._at_work: dict[str, TaskID] = {}
        self._done, self._total = 0, 0
        self._began = time.monotonic()
        self._last_line = float("-inf")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bars away: what comes now is the result."""
        self._bars.stop()

    def planned(self, steps: int, stored: int) -> None:
        """See ``Observer``."""
        self._total = steps
        self._bars.update(self._all, total=steps, done=f"0/{steps}")
        self._console.print(f"{steps} stages, {stored} of them in the store.", highlight=False)

    def started(self, step: Step) -> None:
        """See ``Observer``."""
        self._take_away(step)
        title = f"  {escape(step.stage.title())}"
        self._at_work[step.key] = self._bars.add_task(title, total=100, done="", is_run=False)
        self._now_and_then(step)

    def waiting(self, step: Step) -> None:
        """See ``Observer``."""
        text = f"waiting for another run to finish {escape(step.stage.title())}"
        self._console.print(text, highlight=False, soft_wrap=True)

    def progressed(self, step: Step, share: float) -> None:
        """See ``Observer``."""
        if step.key in self._at_work:
            self._bars.update(self._at_work[step.key], completed=100 * share, done=f"{share:.0%}")
            self._now_and_then(step, share)

    def finished(self, outcome: StageOutcome) -> None:
        """See ``Observer``."""
        self._done += 1
        self._take_away(outcome.step)
        self._bars.update(self._all, completed=self._done, done=f"{self._done}/{self._total}")
        # What failed with it is in the list of cells; without data nothing runs, and the command says why.
        if outcome.source == "failed" and outcome.trace and outcome.step.inputs:
            text = f"[red]failed[/] {escape(outcome.step.stage.title())}: {escape(outcome.reason)}"
            self._console.print(text, highlight=False, soft_wrap=True)

    def remaining(self, seconds: float) -> None:
        """See ``Observer``."""
        self._left.told(seconds)

    def _take_away(self, step: Step) -> None:
        if step.key in self._at_work:
            self._bars.remove_task(self._at_work.pop(step.key))

    def _now_and_then(self, step: Step, share: float | None = None) -> None:
        """A line where there is no terminal: what is at work, how far it is, and how long the rest will take."""
        now = time.monotonic()
        every = min(_SELDOM, max(_OFTEN, (now - self._began) / 10))
        if _is_live(self._console) or now - self._last_line < every:
            return
        self._last_line = now
        parts = [f"{self._done}/{self._total} {escape(step.stage.title())}"]
        parts += [] if share is None else [f"{share:.0%}"]
        parts += [left] if (left := self._left.in_words()) else []
        self._console.print(", ".join(parts), highlight=False, soft_wrap=True)


class _Left:
    """How long the rest will take: counts down from what was told last."""

    def __init__(self) -> None:
        self._until: float | None = None

    def told(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def in_words(self) -> str:
        """``about 12 min left``; nothing before anything was told, or once the time is over."""
        seconds = 0.0 if self._until is None else self._until - time.monotonic()
        return f"about {_in_words(seconds)} left" if seconds >= 1 else ""


class _LeftColumn(ProgressColumn):
    """The time left, on the line of the whole run."""

    def __init__(self, left: _Left, table_column: Column) -> None:
        super().__init__(table_column)
        self._time = left

    def render(self, task: Task) -> Text:
        """See ``ProgressColumn``."""
        return Text(self._time.in_words() if task.fields["is_run"] else "")


class _Clock(ProgressColumn):
    """How long a line is there. rich's own stops when a stage first says that it is done, and some work on."""

    def render(self, task: Task) -> Text:
        """See ``ProgressColumn``."""
        return Text(str(timedelta(seconds=int(task.elapsed or 0))))


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.0f} h"
