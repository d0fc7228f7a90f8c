"""The order of work, and what becomes of what cannot be made."""

from __future__ import annotations

from pathlib import Path

from maskbench.artifacts.store import Artifact, Store
from maskbench.executors.executor import StageOutcome
from maskbench.executors.workers.estimates import Estimates
from maskbench.executors.workers.schedule import Schedule
from maskbench.planning.plan import Plan, Step
from maskbench.planning.work import expected_work
from stage_plans import Leaf


def _plan(stages: dict[Leaf, int]) -> Plan:
    plan = Plan("cpu")
    for stage, rank in stages.items():
        plan.add(stage, rank)
    return plan


def _seconds(step: Step) -> float:
    assert isinstance(step.stage, Leaf)
    return step.stage.seconds


def _drained(schedule: Schedule) -> list[str]:
    """The titles in the order in which one worker makes them."""
    order: list[str] = []
    outcomes: dict[str, StageOutcome] = {}
    while (step := schedule.first()) is not None:
        order.append(step.stage.title())
        schedule.take(step)
        schedule.decide(StageOutcome(step, "computed"), outcomes)
    assert not schedule.open
    return order


def test_ranks_then_the_longest_path_from_a_step_to_the_end() -> None:
    start = Leaf("start", seconds=1)
    stages = {
        Leaf("second seed", seconds=100): 1,
        Leaf("long", seconds=4): 0,
        Leaf("end", needs=(Leaf("middle", needs=(start,), seconds=2),), seconds=3): 0,
        Leaf("short", seconds=2): 0,
    }
    schedule = Schedule(_plan(stages), (), _seconds, lambda step: False)
    assert _drained(schedule) == ["start", "middle", "long", "end", "short", "second seed"]


def test_what_two_seeds_share_belongs_to_the_first() -> None:
    shared = Leaf("shared", seconds=1)
    stages = {Leaf("a", needs=(shared,)): 0, Leaf("b", needs=(shared,), seconds=5): 1}
    plan = _plan(stages)
    assert plan.ranks[plan.key(shared)] == 0


def test_lone_steps_come_last_of_their_rank() -> None:
    stages = {Leaf("lone", seconds=9): 0, Leaf("other", seconds=1): 0, Leaf("later", seconds=20): 1}
    schedule = Schedule(_plan(stages), (), _seconds, lambda step: step.stage.title() == "lone")
    assert _drained(schedule) == ["other", "lone", "later"]


def test_what_is_there_is_waited_for_by_none() -> None:
    first = Leaf("first")
    plan = _plan({Leaf("second", needs=(first,)): 0})
    schedule = Schedule(plan, {plan.key(first)}, _seconds, lambda step: False)
    assert _drained(schedule) == ["second"]


def test_a_failure_takes_with_it_what_needs_it_alone() -> None:
    """With the reason of the first input that is missing, whichever failed first."""
    one, two = Leaf("one"), Leaf("two")
    both = Leaf("both", needs=(one, two))
    stages = {Leaf("last", needs=(both,)): 0, Leaf("apart"): 0}
    plan = _plan(stages)
    for order in ((one, two), (two, one)):
        schedule = Schedule(plan, (), _seconds, lambda step: False)
        outcomes: dict[str, StageOutcome] = {}
        for stage in order:
            step = plan.steps[plan.key(stage)]
            schedule.take(step)
            schedule.decide(StageOutcome(step, "failed", f"{stage.name} broke"), outcomes)
        assert outcomes[plan.key(both)].reason == "one broke"
        assert [step.stage.title() for step in schedule.open] == ["apart"]
        assert len(outcomes) == 4


def test_times_are_learned_from_the_store_whatever_the_seed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    plan = _plan({Leaf("a · seed 0"): 0, Leaf("a · seed 1"): 1, Leaf("b · seed 0"): 0})
    first, second, other = plan.steps.values()
    timing = {"seconds": 7.5, "peak_memory": 5 << 30, "peak_memory_of": "process, this stage"}
    description = {"stage": "leaf", "slot": first.stage.slot(), "ingredients": {}, "timing": timing}
    store.save(first.key, Artifact(), description)
    estimates = Estimates()
    assert estimates.seconds(second) == expected_work(second.stage)
    assert estimates.memory(second) == 1 << 30
    estimates.read(store, (second, other))
    assert estimates.seconds(second) == 7.5
    assert estimates.seconds(other) == 7.5, "of its kind"
    assert estimates.memory(other) == 5 << 30
    estimates.learn(StageOutcome(other, "computed", timing={"seconds": 2.5}))
    assert (estimates.seconds(second), estimates.seconds(other)) == (7.5, 2.5)
