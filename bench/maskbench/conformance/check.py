"""What a check is, and what comes of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from maskbench.errors import MaskbenchError, Unavailable
from maskbench.executors.interrupts import Interrupts, interrupts


class Broken(Exception):
    """A plug-in does not keep what a check asks for; the message says what came instead."""


class NotChecked(Exception):
    """A check says nothing here; the message says why."""


@dataclass(frozen=True)
class Check:
    """One thing that a plug-in must keep.

    Attributes:
        name: two or three words, unique within a kind of plug-in.
        what_to_do: how an author usually mends it.
        run: raises :class:`Broken` or :class:`NotChecked`, or whatever the plug-in raises; may return a remark.
        last_resort: runs only where no other check failed, or else it would say the same again.
    """

    name: str
    what_to_do: str
    run: Callable[[Any], str | None]
    last_resort: bool = False


def define(name: str, what_to_do: str, *, last_resort: bool = False) -> Callable[[Callable[[Any], str | None]], Check]:
    """Turn a function into the check of that name."""
    return lambda run: Check(name, what_to_do, run, last_resort)


@dataclass(frozen=True)
class Failure:
    """A check that failed: what came, and what to do."""

    check: str
    message: str
    what_to_do: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}\n  What to do: {self.what_to_do}"


@dataclass(frozen=True)
class CheckResult:
    """A check's result; ``detail`` is a remark, the reason it was not checked, or what failed."""

    check: Check
    status: Literal["ok", "failed", "not checked"]
    detail: str = ""

    @property
    def failure(self) -> Failure | None:
        """The failure, where it is one."""
        return Failure(self.check.name, self.detail, self.check.what_to_do) if self.status == "failed" else None


def run_checks(checks: Sequence[Check], subject: Any) -> list[CheckResult]:
    """Run every check, whatever the others say."""
    results: list[CheckResult] = []
    with interrupts() as watch:
        for check in checks:
            if check.last_resort and any(result.status == "failed" for result in results):
                results.append(CheckResult(check, "not checked", "the failures of the other checks come first"))
            else:
                results.append(_run(check, subject, watch))
    return results


def _run(check: Check, subject: Any, watch: Interrupts) -> CheckResult:
    try:
        return CheckResult(check, "ok", check.run(subject) or "")
    except (NotChecked, Unavailable) as reason:
        return CheckResult(check, "not checked", str(reason))
    except BaseException as error:  # noqa: BLE001 - whatever a plug-in raises is a finding about it, not the suite's end
        watch.check()
        return CheckResult(check, "failed", explain(error))


def explain(error: BaseException) -> str:
    """One line: our own errors speak for themselves, another's kind and place are named."""
    if isinstance(error, MaskbenchError | Broken):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"


def provided(call: Callable[[], Any], mend: str) -> Any:
    """The result of a call that a check builds on; where it fails, that is another check's finding."""
    try:
        return call()
    except (NotChecked, Unavailable):
        raise
    except (Exception, SystemExit) as error:
        raise NotChecked(f"nothing to look at: mend '{mend}' first") from error


def raise_all(wrong: Iterable[str | None]) -> None:
    """Raise what went wrong in any of several cases, in one message."""
    messages = [message for message in wrong if message]
    if messages:
        raise Broken("; ".join(messages))
