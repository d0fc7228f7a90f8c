"""Worker processes: the same artifacts whatever their number, and whatever a stage does to its process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from maskbench.artifacts.store import Artifact, Store
from maskbench.errors import UsageError
from maskbench.executors.choose import choose_executor, jobs_that_pay
from maskbench.executors.executor import Silent
from maskbench.executors.local import LocalExecutor
from maskbench.executors.workers import estimates
from maskbench.executors.workers.driver import WorkersExecutor, WorkersFail
from maskbench.executors.workers.process import WorkerProcess
from maskbench.planning.plan import Plan, Step
from maskbench.results.execute import execute
from maskbench.stages.stage import Context
from stage_faults import (
    Blocks,
    Crashes,
    Exits,
    Forks,
    Hangs,
    IsKilled,
    IsKilledOnce,
    LacksMemory,
    Swallows,
    Timed,
    Unsendable,
)
from stage_plans import Leaf, executed, written
from tiny import CPU, FAST, tiny

FAULTS = {
    Exits: "exits: its process ended itself with code 3",
    Crashes: "crashes: its process was ended by SIGSEGV",
    IsKilled: "iskilled: its process was ended by SIGKILL, twice, the second time with nothing else at work: "
    "it probably needs more memory than there is",
    LacksMemory: "lacksmemory: MemoryError: ",
    Hangs: "hangs: stopped at its limit of 0.5 s; it went on, so its process was ended",
    Blocks: "blocks: stopped at its limit of 0.5 s; it went on, so its process was ended",
    Swallows: "swallows: stopped at its limit of 0.5 s",
    Forks: "forks: its process ended itself with code 4",
}


@pytest.mark.slow
def test_what_a_stage_does_to_its_process_is_its_own_failure(tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    stages = {fault(fault.__name__.lower(), journal, limit=0.5): 0 for fault in FAULTS}
    after = {Leaf(f"after {stage.name}", needs=(stage,)): 0 for stage in stages}
    good = {Leaf(f"good-{number}", journal): 0 for number in range(4)}
    outcomes = executed({**stages, **after, **good}, tmp_path / "store", 2, grace=1.0)
    for fault, reason in FAULTS.items():
        name = fault.__name__.lower()
        assert (outcomes[name].source, outcomes[name].reason) == ("failed", reason)
        assert outcomes[name].trace
        assert (outcomes[f"after {name}"].source, outcomes[f"after {name}"].reason) == ("failed", reason)
    assert {outcomes[stage.name].source for stage in good} == {"computed"}
    begun = [name for name, what, _ in written(Path(journal)) if what == "begins"]
    assert {name: begun.count(name) for name in begun} == {
        **dict.fromkeys((*(fault.__name__.lower() for fault in FAULTS), *(stage.name for stage in good)), 1),
        "iskilled": 2,
        "lacksmemory": 2,
    }
    assert "Segmentation fault" in outcomes["crashes"].trace


def test_what_was_killed_is_made_again_while_nothing_else_is_at_work(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    killed = IsKilledOnce("killed", str(journal), seconds=0.2)
    others = {Leaf(f"other-{number}", str(journal), seconds=0.3): 0 for number in range(4)}
    outcomes = executed({killed: 0, **others}, tmp_path / "store", 2)
    assert {outcome.source for outcome in outcomes.values()} == {"computed"}
    lines = written(journal)
    (begin, end) = [moment for name, _, moment in lines if name == "killed"][-2:]
    assert not [line for line in lines if begin < line[2] < end]
    assert outcomes["killed"].timing["alone"] and not outcomes["other-0"].timing["alone"]


def test_a_stage_that_cannot_be_sent_says_so(tmp_path: Path) -> None:
    outcomes = executed({Unsendable("unsendable"): 0, Leaf("good"): 0}, tmp_path)
    assert "cannot be sent to a worker process (cannot be pickled)" in outcomes["unsendable"].reason
    assert outcomes["good"].source == "computed"


def test_no_process_is_started_where_all_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = {Leaf("one"): 0}
    assert executed(stages, tmp_path)["one"].source == "computed"
    monkeypatch.setattr(WorkerProcess, "__init__", None)
    assert executed(stages, tmp_path)["one"].source == "stored"


def test_no_more_processes_than_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    start = WorkerProcess.__init__
    monkeypatch.setattr(WorkerProcess, "__init__", lambda self, setup: (started.append(1), start(self, setup))[1])
    first = Leaf("first")
    executed({first: 0, Leaf("second", needs=(first,)): 0}, tmp_path, 8)
    assert len(started) == 1


def test_workers_that_do_not_start_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskbench.executors.workers.process._MODULE", "maskbench.no_such_module")
    with pytest.raises(WorkersFail, match=r"No module named maskbench\.no_such_module"):
        executed({Leaf("one"): 0}, tmp_path)


def _killing(starts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the first processes as soon as they are started."""
    start, seen = WorkerProcess.__init__, []

    def started(self: WorkerProcess, setup: object) -> None:
        start(self, setup)
        seen.append(self.identifier)
        if len(seen) <= starts:
            os.kill(self.identifier, signal.SIGKILL)

    monkeypatch.setattr(WorkerProcess, "__init__", started)


def test_workers_that_are_killed_while_they_start_are_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killing(5, monkeypatch)
    assert executed({Leaf("one"): 0}, tmp_path)["one"].source == "computed"


def test_who_kills_every_worker_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _killing(1000, monkeypatch)
    with pytest.raises(WorkersFail, match="SIGKILL"):
        executed({Leaf("one"): 0}, tmp_path)


def test_no_process_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    start = WorkerProcess.__init__

    def started(self: WorkerProcess, setup: object) -> None:
        start(self, setup)
        seen.append(self.identifier)

    monkeypatch.setattr(WorkerProcess, "__init__", started)
    executed({Leaf("one"): 0, Forks("forks"): 0}, tmp_path, 2)
    until = time.monotonic() + 20  # what was killed takes a moment to end
    while any(map(_group_lives, seen)) and time.monotonic() < until:
        time.sleep(0.1)
    assert len(seen) >= 2 and not [number for number in seen if _group_lives(number)]


def _group_lives(number: int) -> bool:
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return any("\nState:\tZ" not in text for text in _statuses(number))


def _statuses(group: int) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                found.append((folder / "status").read_text())
        except (OSError, ValueError):
            continue
    return found


class _Watching(Silent):
    def __init__(self) -> None:
        self.shares: list[float] = []
        self.begun: list[str] = []
        self.left: list[float] = []

    def started(self, step: Step) -> None:
        self.begun.append(step.stage.title())

    def progressed(self, step: Step, share: float) -> None:
        self.shares.append(share)

    def remaining(self, seconds: float) -> None:
        self.left.append(seconds)


def test_seeds_in_order_and_the_longest_path_first(tmp_path: Path) -> None:
    start = Leaf("start")
    tail = Leaf("tail", needs=(Leaf("middle", needs=(start,)),))
    watching = _Watching()
    executed({Leaf("later"): 1, Leaf("short"): 0, tail: 0}, tmp_path, observer=watching)
    assert watching.begun == ["start", "middle", "short", "tail", "later"] or watching.begun == [
        *("start", "middle", "tail", "short", "later")
    ]
    assert watching.left


def test_in_this_process_the_time_left_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "_BETWEEN", 0.0)
    plan = Plan("cpu")
    for number in range(3):
        plan.add(Leaf(f"{number}", seconds=0.2))
    watching = _Watching()
    LocalExecutor(Store(tmp_path), CPU).execute(plan, watching)
    assert len(watching.left) == 3 and watching.begun == ["0", "1", "2"]
    assert watching.left[1] >= 0.4 and watching.left[2] >= 0.2  # what the first ones took


def test_exclusive_timing_runs_timed_stages_alone(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    stages = {Timed(f"timed-{number}", str(journal), seconds=0.3): 0 for number in range(2)}
    stages |= {Leaf(f"other-{number}", str(journal), seconds=0.3): 0 for number in range(3)}
    executed(stages, tmp_path / "store", 2, exclusive_timing=True)
    lines = written(journal)
    for name in ("timed-0", "timed-1"):
        (begin, end) = [moment for each, _, moment in lines if each == name]
        assert not [line for line in lines if begin < line[2] < end]


def test_in_a_thread_it_runs_as_well(tmp_path: Path) -> None:
    """Where no signals can be watched."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(executed({Leaf("one"): 0}, tmp_path)["one"].source))
    thread.start()
    thread.join()
    assert found == ["computed"]


def test_how_many_there_are_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASKBENCH_JOBS")
    store = Store(tmp_path)
    assert isinstance(choose_executor(store, CPU, 0), LocalExecutor)
    monkeypatch.setattr("maskbench.executors.choose.cores_at_hand", lambda: 6)
    monkeypatch.setattr("maskbench.executors.workers.memory.memory_at_hand", lambda: 40 << 30)
    assert _jobs(store) == 6
    monkeypatch.setattr("maskbench.executors.workers.memory.memory_at_hand", lambda: 4 << 30)
    assert _jobs(store) == 3
    monkeypatch.setattr("maskbench.executors.workers.memory.memory_at_hand", lambda: 0)
    assert _jobs(store) == 1


def _jobs(store: Store) -> int:
    executor = choose_executor(store, CPU)
    assert isinstance(executor, WorkersExecutor)
    return executor.jobs


def test_nothing_more_begins_where_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskbench.executors.workers.memory.memory_at_hand", lambda: 1 << 29)
    journal = tmp_path / "journal"
    executed({Leaf(f"{number}", str(journal), seconds=0.2): 0 for number in range(3)}, tmp_path / "store", 3)
    assert [what for _, what, _ in written(journal)] == ["begins", "ends"] * 3


@pytest.mark.slow
def test_artifacts_are_equal_bit_by_bit(tmp_path: Path) -> None:
    """In this process and in two others; what is random, learned or multi-threaded as well."""
    data = {"source": "digits", "limit": 120, "size": 16}
    settings = {"scored": 16, "draws": 1, "recognition": FAST, "attack": FAST, "restoration": FAST}
    suite = tiny(("saliency",), ("biharmonic", "restorer", "mask-only"), data=data, settings=settings)
    found = {}
    for jobs in (0, 2):
        store = Store(tmp_path / str(jobs))
        execution = execute(suite, choose_executor(store, CPU, jobs), Silent())
        assert not execution.failures
        found[jobs] = {key: store.describe(key)["tensors_checksum"] for key in execution.plan.steps}
    assert found[0] == found[2]
    assert len(found[0]) > 30


@pytest.mark.parametrize(("text", "jobs"), [("3", 3), ("0", 0)])
def test_the_variable_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, jobs: int) -> None:
    monkeypatch.setenv("MASKBENCH_JOBS", text)
    executor = choose_executor(Store(tmp_path), CPU)
    assert (executor.jobs if isinstance(executor, WorkersExecutor) else 0) == jobs
    assert isinstance(choose_executor(Store(tmp_path), CPU, 2), WorkersExecutor)


@pytest.mark.parametrize(("text", "jobs"), [("many", None), ("-1", None), ("2", -2)])
def test_a_number_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, jobs: int | None) -> None:
    monkeypatch.setenv("MASKBENCH_JOBS", text)
    with pytest.raises(UsageError, match="expected the number of stages at work at once"):
        choose_executor(Store(tmp_path), CPU, jobs)


@pytest.mark.cuda
def test_a_worker_on_a_gpu(tmp_path: Path) -> None:
    """One is the default there, whatever the parent did to the device before."""
    device = torch.device("cuda")
    torch.ones(1, device=device)
    assert jobs_that_pay(device) == 1
    plan = Plan("cuda")
    plan.add(_OnDevice("one"))
    (outcome,) = WorkersExecutor(Store(tmp_path), device, 1).execute(plan, Silent()).values()
    assert outcome.source == "computed" and outcome.timing["peak_memory_of"] == "device, this stage"


@dataclass(frozen=True)
class _OnDevice(Leaf):
    def run(self, inputs: Mapping[str, Artifact], context: Context) -> Artifact:
        return Artifact({"value": torch.ones(2, device=context.device).sum()[None].cpu()})
