"""What plug-ins of every kind must leave as it is: the state that they share with all others in the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from maskbench.conformance.check import Broken, Check, define
from maskbench.conformance.common import SEED, Subject
from maskbench.executors.functions import Functions
from maskbench.executors.pinned import pinned


def watched(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The same checks, each with everything pinned that a run pins; and one more, that nothing of it was changed."""
    changed: list[str] = []
    functions = Functions()

    def pin(check: Check) -> Check:
        def run(subject: Subject) -> str | None:
            with pinned(SEED, functions, changed):
                return check.run(subject)

        return replace(check, run=run)

    @define(
        "global state",
        "set no default dtype or device, number of threads, seed, flag of torch or working folder, and replace no "
        "function of torch or maskbench: others run in the same process. Name dtype and device where tensors are made.",
    )
    def global_state(subject: Subject) -> None:
        if changed:
            raise Broken(f"it {', '.join(dict.fromkeys(changed))}")

    return (*map(pin, checks), global_state)
