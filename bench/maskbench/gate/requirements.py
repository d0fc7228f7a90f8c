"""Absolute limits that a run must keep, for those who have no baseline."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from maskbench.errors import UsageError
from maskbench.gate.tolerances import declared, scale
from maskbench.plugins.reserved import STRONGEST
from maskbench.results.reading import HEADLINE_SPLIT, grouped, methods

_FORM = re.compile(r"\s*(?P<metric>\w+)\s*(?:@(?P<method>.+?))?\s*(?P<sign>>=|<=)\s*(?P<limit>[-+.\deE]+)\s*")


@dataclass(frozen=True)
class Requirement:
    """A limit: ``accuracy>=80``, or ``advantage@random<=10`` for one method. Shares are in per cent."""

    metric: str
    method: str
    sign: str
    limit: float

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """From what a user types.

        Raises:
            UsageError: another form, or a metric that does not exist.
        """
        match = _FORM.fullmatch(text)
        try:
            limit = float(match["limit"]) if match else float("nan")
        except ValueError:
            limit = float("nan")
        if match is None or not np.isfinite(limit):
            raise UsageError(
                f"The requirement '{text}' is not METRIC>=NUMBER, METRIC<=NUMBER or METRIC@METHOD>=NUMBER, such as "
                "'accuracy>=80' or 'advantage@random<=10'."
            )
        declared(match["metric"])
        return cls(match["metric"], match["method"] or "", match["sign"], limit)

    def __str__(self) -> str:
        return f"{self.metric}{'@' if self.method else ''}{self.method}{self.sign}{self.limit:g}"


@dataclass(frozen=True)
class Checked:
    """A requirement on one method: whether the whole interval lies on the right side of the limit."""

    requirement: Requirement
    method: str
    ratio: float
    attack: str
    met: bool
    finding: str


def check(cells: pd.DataFrame, wanted: Iterable[Requirement]) -> list[Checked]:
    """Check requirements on every method but the controls, or on the method that is named.

    Leakage is that of the strongest attack. A value that is not there does not meet a requirement.
    """
    return [found for requirement in wanted for found in _check(cells, requirement)]


def _check(cells: pd.DataFrame, requirement: Requirement) -> Iterator[Checked]:
    any_method = False
    for label, ratio, rows in methods(cells):
        named = requirement.method in (label, str(rows["method"].iat[0]))
        if not (named if requirement.method else rows["role"].iat[0] == "method"):
            continue
        any_method = True
        # Accuracy is that of the recognizer: what an attack gets is called advantage.
        wanted = rows["attack_kind"].eq("none") if _of_recognition(requirement) else rows["attack"].eq(STRONGEST)
        counted = rows["split"].eq(rows["label"].map(HEADLINE_SPLIT)) & rows["metric"].eq(requirement.metric)
        pooled = rows[wanted & counted & rows["seed"].isna()]
        for (attack, _), found in grouped(pooled, "attack", "label"):
            met, finding = _judge(requirement, found)
            yield Checked(requirement, label, ratio, str(attack), met, finding)
        if pooled.empty:
            yield Checked(requirement, label, ratio, "", False, "not measured, or not under every seed")
    if not any_method:
        yield Checked(requirement, requirement.method, float("nan"), "", False, "no such method in the run")


def _of_recognition(requirement: Requirement) -> bool:
    return any(metric.family == "recognition" for metric in declared(requirement.metric))


def _judge(requirement: Requirement, found: pd.DataFrame) -> tuple[bool, str]:
    factor = scale(declared(requirement.metric)[0])
    value, low, high = (factor * found[name].to_numpy(np.float64)[0] for name in ("value", "ci_low", "ci_high"))
    right = operator.ge if requirement.sign == ">=" else operator.le
    met = bool(
        np.isfinite([value, low, high]).all() and right(low, requirement.limit) and right(high, requirement.limit)
    )
    return met, f"{value:.4g} [{low:.4g}, {high:.4g}]"
