"""What a run is doing, while it does it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from maskbench.executors.executor import StageOutcome
from maskbench.planning.plan import Step

_LEFT = len("about 99 min left")
_QUIET = 5.0  # seconds between lines where the output is a file


def _is_live(console: Console) -> bool:
    return console.is_terminal or console.is_jupyter


class RunProgress:
    """Bars on a terminal: all stages, and each one at work. Lines now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", table_column=Column(width=_LEFT, no_wrap=True)),
            console=console,
            transient=True,
            expand=True,
            disable=not _is_live(console),
        )
        self._all = self._bars.add_task("stages", total=None, left="")
        self._at_work: dict[str, TaskID] = {}
        self._done, self._total, self._last_line, self._left = 0, 0, 0.0, ""

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
        self._bars.update(self._all, total=steps)
        self._console.print(f"{steps} stages, {stored} of them in the store.", highlight=False)

    def started(self, step: Step) -> None:
        """See ``Observer``."""
        title = step.stage.title()
        self._take_away(step)
        self._at_work[step.key] = self._bars.add_task(f"  {escape(title)}", total=100, left="")
        if not _is_live(self._console) and time.monotonic() - self._last_line > _QUIET:
            self._last_line = time.monotonic()
            left = f" ({self._left})" if self._left else ""
            self._console.print(f"{self._done}/{self._total} {escape(title)}{left}", highlight=False)

    def waiting(self, step: Step) -> None:
        """See ``Observer``."""
        text = f"waiting for another run to finish {escape(step.stage.title())}"
        self._console.print(text, highlight=False, soft_wrap=True)

    def progressed(self, step: Step, share: float) -> None:
        """See ``Observer``."""
        if step.key in self._at_work:
            self._bars.update(self._at_work[step.key], completed=round(100 * share))

    def finished(self, outcome: StageOutcome) -> None:
        """See ``Observer``."""
        self._done += 1
        self._take_away(outcome.step)
        self._bars.update(self._all, completed=self._done)
        # What failed with it is in the list of cells; without data nothing runs, and the command says why.
        if outcome.source == "failed" and outcome.trace and outcome.step.inputs:
            text = f"[red]failed[/] {escape(outcome.step.stage.title())}: {escape(outcome.reason)}"
            self._console.print(text, highlight=False, soft_wrap=True)

    def remaining(self, seconds: float) -> None:
        """See ``Observer``."""
        self._left = f"about {_in_words(seconds)} left"
        self._bars.update(self._all, left=self._left)

    def _take_away(self, step: Step) -> None:
        if step.key in self._at_work:
            self._bars.remove_task(self._at_work.pop(step.key))


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.0f} h"
