"""What a run shows while it runs: lines that do not jump, a clock for each stage, and the time that is left."""

from __future__ import annotations

import re
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from maskbench.executors import progress as module
from maskbench.executors.executor import StageOutcome
from maskbench.executors.progress import RunProgress
from rich.console import Console


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module.time, "monotonic", found)
    return found


def step(title: str) -> Any:
    """As much of a step as a display looks at."""
    return SimpleNamespace(key=title, stage=SimpleNamespace(title=lambda: title), inputs={})


def lines(console: Console) -> list[str]:
    return console.file.getvalue().splitlines()


def shown(progress: RunProgress, console: Console) -> list[str]:
    """The lines of the bars as they stand."""
    with console.capture() as captured:
        console.print(progress._bars.get_renderable())
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_title_moves_a_column(width: int, clock: Clock) -> None:
    console = Console(width=width, file=StringIO(), force_terminal=True, color_system=None)
    progress = RunProgress(console)
    progress.planned(1234, 2)
    ends = set()
    for number, title in enumerate(("short", "a title that is longer than any line of a terminal " * 4)):
        progress.started(step(title))
        progress.progressed(step(title), 0.05 + 0.95 * number)
        row = next(line for line in shown(progress, console) if "%" in line)
        assert len(row) <= width
        ends.add(row.index("%"))
        progress.finished(StageOutcome(step(title), "computed"))
    assert len(ends) == 1


def test_the_clock_of_a_stage_starts_with_it_and_runs_until_its_end(clock: Clock) -> None:
    console = Console(width=80, file=StringIO(), force_terminal=True, color_system=None)
    progress = RunProgress(console)
    progress._bars.get_time = clock
    progress.planned(2, 0)
    for title in ("first", "second"):
        progress.started(step(title))
        clock.now += 5
        progress.progressed(step(title), 1.0)  # it trains again afterwards
        clock.now += 60
        (row,) = (line for line in shown(progress, console) if title in line)
        assert "0:01:05" in row
        progress.finished(StageOutcome(step(title), "computed"))


def test_the_time_left_counts_down(clock: Clock) -> None:
    console = Console(width=80, file=StringIO(), force_terminal=True, color_system=None)
    progress = RunProgress(console)
    assert "left" not in shown(progress, console)[0]
    progress.remaining(600)
    assert "about 10 min left" in shown(progress, console)[0]
    clock.now += 540
    assert "about 60 s left" in shown(progress, console)[0]
    clock.now += 100
    assert "left" not in shown(progress, console)[0]


def test_without_a_terminal_there_is_a_line_now_and_then(clock: Clock) -> None:
    console = Console(width=80, file=StringIO(), force_terminal=False)
    with RunProgress(console) as progress:
        progress.planned(3, 1)
        progress.remaining(120)
        progress.started(step("one [x]"))
        for _ in range(20):
            clock.now += 1
            progress.progressed(step("one [x]"), 0.5)
        progress.finished(StageOutcome(step("one [x]"), "computed"))
    found = lines(console)
    assert found[:2] == ["3 stages, 1 of them in the store.", "0/3 one [x], about 2 min left"]
    assert 3 <= len(found[2:]) <= 5
    assert all(re.fullmatch(r"0/3 one \[x\], 50%, about \d+ (s|min) left", line) for line in found[2:])


def test_in_a_run_of_hours_lines_are_rare(clock: Clock) -> None:
    console = Console(width=80, file=StringIO(), force_terminal=False)
    with RunProgress(console) as progress:
        progress.planned(1, 0)
        progress.started(step("long"))
        for _ in range(3600):
            clock.now += 1
            progress.progressed(step("long"), 0.5)
    assert 60 < len(lines(console)) < 110
