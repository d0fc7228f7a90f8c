"""What a plan will take before it runs: how much is stored, and time and disk by what like stages took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from maskbench.artifacts.maintenance import bytes_on_disk
from maskbench.artifacts.store import Store
from maskbench.executors.step import stored_keys
from maskbench.executors.workers.estimates import Estimates
from maskbench.planning.plan import Plan, Step

_LOOKED_AT = 30  # artifacts of a kind that tell how large one is


@dataclass(frozen=True)
class KindForecast:
    """The stages of one kind.

    Attributes:
        stages, stored: how many there are, and how many of them lie in the store.
        unlike: those to be made of which no like stage was timed: their time is a guess.
        seconds: of all that are to be made, one after the other.
        bytes: that they add to the store; None where no artifact of the kind lies there.
    """

    kind: str
    stages: int
    stored: int
    unlike: int
    seconds: float
    bytes: int | None


def forecast(plan: Plan, store: Store | None) -> list[KindForecast]:
    """What each kind of stage will take, in the order of the plan.

    Args:
        store: None where there is none yet.
    """
    there = set() if store is None else set(stored_keys(store, plan))
    missing = [step for key, step in plan.steps.items() if key not in there]
    estimates = Estimates()
    if store is not None:
        estimates.read(store, plan.steps.values())
    kinds: dict[str, list[Step]] = {}
    for step in plan.steps.values():
        kinds.setdefault(step.stage.kind, []).append(step)
    sizes = {} if store is None else _sizes(store)
    found = []
    for kind, steps in kinds.items():
        open_ = [step for step in missing if step.stage.kind == kind]
        size = sizes.get(kind)
        found.append(
            KindForecast(
                kind,
                len(steps),
                len(steps) - len(open_),
                sum(not estimates.timed(step) for step in open_),
                sum(map(estimates.seconds, open_)),
                None if size is None and open_ else round(len(open_) * (size or 0)),
            )
        )
    return found


def _sizes(store: Store) -> dict[str, float]:
    """Kind of stage → bytes of an artifact of it, by those that were stored last."""
    keys: dict[str, list[str]] = defaultdict(list)
    for entry in reversed(store.journal()):
        of_kind = keys[str(entry.get("stage"))]
        if len(of_kind) < _LOOKED_AT and store.folder(entry["key"]).is_dir():
            of_kind.append(entry["key"])
    return {kind: fmean(_measured(store, of_kind)) for kind, of_kind in keys.items() if of_kind}


def _measured(store: Store, keys: Sequence[str]) -> list[int]:
    return [bytes_on_disk(store.folder(key)) for key in keys]
