"""What a run is doing, while it does it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from maskbench.executors.executor import StageOutcome
from maskbench.planning.plan import Step

_QUIET = 5.0  # seconds between lines where the output is a file


def _is_live(console: Console) -> bool:
    return console.is_terminal or console.is_jupyter


class RunProgress:
    """Two bars on a terminal: all stages, and the one at work. Lines now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("[progress.description]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not _is_live(console),
        )
        self._all = self._bars.add_task("stages", total=None)
        self._now = self._bars.add_task("", total=100, visible=False)
        self._done, self._total, self._last_line = 0, 0, 0.0

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
        self._bars.update(self._now, description=step.stage.title(), completed=0, visible=True)
        if not _is_live(self._console) and time.monotonic() - self._last_line > _QUIET:
            self._last_line = time.monotonic()
            self._console.print(f"{self._done}/{self._total} {step.stage.title()}", highlight=False)

    def waiting(self, step: Step) -> None:
        """See ``Observer``."""
        text = f"waiting for another run to finish {escape(step.stage.title())}"
        self._console.print(text, highlight=False, soft_wrap=True)

    def progressed(self, step: Step, share: float) -> None:
        """See ``Observer``."""
        self._bars.update(self._now, completed=round(100 * share))

    def finished(self, outcome: StageOutcome) -> None:
        """See ``Observer``."""
        self._done += 1
        self._bars.update(self._all, completed=self._done)
        # What failed with it is in the list of cells; without data nothing runs, and the command says why.
        if outcome.source == "failed" and outcome.trace and outcome.step.inputs:
            text = f"[red]failed[/] {escape(outcome.step.stage.title())}: {escape(outcome.reason)}"
            self._console.print(text, highlight=False, soft_wrap=True)
