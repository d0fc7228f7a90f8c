"""Which checks a plug-in gets, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maskbench.conformance.adjustments import ADJUSTMENT_CHECKS, AdjustmentSubject
from maskbench.conformance.attack_subject import AttackSubject
from maskbench.conformance.attacks import ATTACK_CHECKS
from maskbench.conformance.attributions import ATTRIBUTION_CHECKS, AttributionSubject
from maskbench.conformance.check import Check, CheckResult, Failure, NotChecked, provided, run_checks
from maskbench.conformance.common import COMMON, HOOKS, Subject, misspelt_hooks
from maskbench.conformance.method_subject import MethodSubject
from maskbench.conformance.methods import METHOD_CHECKS
from maskbench.conformance.recognizers import RECOGNIZER_CHECKS, RecognizerSubject
from maskbench.conformance.state_checks import watched
from maskbench.errors import UsageError
from maskbench.plugins.base import Plugin
from maskbench.plugins.kinds import kind_of

_KINDS: dict[str, tuple[type[Subject], tuple[Check, ...]]] = {
    "method": (MethodSubject, METHOD_CHECKS),
    "attack": (AttackSubject, ATTACK_CHECKS),
    "adjustment": (AdjustmentSubject, ADJUSTMENT_CHECKS),
    "recognizer": (RecognizerSubject, RECOGNIZER_CHECKS),
    "attribution": (AttributionSubject, ATTRIBUTION_CHECKS),
}

CHECKED = tuple(_KINDS)
"""The kinds of plug-ins that there are checks of."""


@dataclass(frozen=True)
class Report:
    """All results of one plug-in."""

    kind: str
    name: str
    results: tuple[CheckResult, ...]

    @property
    def failures(self) -> list[Failure]:
        """Those that failed."""
        return [failure for result in self.results if (failure := result.failure)]


def examine(plugin: type[Plugin], parameters: Mapping[str, Any] | None = None) -> Report:
    """Run the whole suite on a plug-in class.

    Args:
        parameters: those that differ from their defaults.

    Raises:
        UsageError: the class extends no contract, or one that there are no checks of.
    """
    kind = kind_of(plugin)
    if kind is None:
        raise UsageError(f"{plugin.__name__} is no plug-in: extend a contract of maskbench (Method, MaskMethod, …).")
    if kind not in _KINDS:
        raise UsageError(f"{plugin.__name__} is a {kind}, and there are no checks of those.")
    subject_class, checks = _KINDS[kind]
    subject = subject_class(plugin, parameters)
    checks = watched(checks)
    remark = _stopped_by(subject)
    results = run_checks(checks[: len(COMMON)] if remark else checks, subject)
    if remark:
        results += [CheckResult(check, "not checked", remark) for check in checks[len(COMMON) :]]
    return Report(kind, str(getattr(plugin, "name", plugin.__name__)), tuple(results))


def check(plugin: type[Plugin], parameters: Mapping[str, Any] | None = None) -> list[Failure]:
    """All that a plug-in class does not keep, with what to do; an empty list where it keeps everything."""
    return examine(plugin, parameters).failures


def _stopped_by(subject: Subject) -> str:
    """Why nothing more than what all plug-ins must keep can be checked; empty where it can."""
    if subject.plugin.__abstractmethods__ or misspelt_hooks(subject.plugin):
        return f"mend '{HOOKS}' first"
    try:
        reason = provided(lambda: subject.build().unavailable(), "parameters")
    except NotChecked:
        return ""  # it cannot even be built or asked: the check of its parameters says so
    return f"it cannot run here: {reason}" if reason else ""
