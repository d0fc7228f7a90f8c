"""By how much a metric may get worse before that is a regression, and how metrics are written and shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from maskbench.errors import UsageError, unknown
from maskbench.gate.outcomes import CellKey
from maskbench.metrics.catalogue import FAMILIES, MAIN, metric_of
from maskbench.metrics.metric import Family, Metric

_BY_UNIT: Mapping[str, float] = {"share": 0.01, "share of the image": 0.01, "1": 0.01, "bit": 0.05, "dB": 0.5}
"""Unit → tolerance, in that unit: 1 point of a share, 0.01 of a structural similarity."""

# An attacker that lost its calibration is right as often as before, and knows less.
_BESIDE_MAIN: Mapping[Family, tuple[str, ...]] = {"inference": ("bits",)}

_LEADING: Mapping[Family, tuple[str, ...]] = {
    family: (MAIN.get(family, metrics[0].name), *_BESIDE_MAIN.get(family, ())) for family, metrics in FAMILIES.items()
}
"""Metrics that have most of the bound on false alarms: one a family, for those of a family mostly agree."""

_GIVEN = re.compile(r"(?P<metric>\w+)(?:@(?P<method>.+))?=(?P<value>[^=]+)")
_RELATIVE = "_over_"
_RELATIVE_TOO = ("utility", "efficiency")


def scale(metric: Metric) -> float:
    """What a value is multiplied by where people read or write it: shares are in per cent."""
    return 100.0 if metric.unit.startswith("share") else 1.0


def unit(metric: Metric) -> str:
    """What stands behind a difference of the metric."""
    return "points" if metric.unit.startswith("share") else {"1": ""}.get(metric.unit, metric.unit)


def relative(name: str) -> bool:
    """Whether a metric is relative to another cell, and so not compared itself."""
    return _RELATIVE in name or name in _RELATIVE_TOO


def led_by(metric: Metric) -> tuple[str, ...]:
    """The leading metrics whose tolerances hold for this one too: of its family, in its unit."""
    leading = _LEADING[metric.family]
    return (
        ()
        if metric.name in leading
        else tuple(name for name in leading if metric_of(metric.family, name).unit == metric.unit)
    )


def declared(name: str) -> list[Metric]:
    """The metrics of a name, in any family.

    Raises:
        UsageError: there is none.
    """
    found = [metric for metrics in FAMILIES.values() for metric in metrics if metric.name == name]
    if not found:
        raise unknown("metric", name, {metric.name for metrics in FAMILIES.values() for metric in metrics})
    return found


@dataclass(frozen=True)
class Tolerances:
    """The tolerance of every metric, and those of single methods.

    Attributes:
        given: (metric, method or "") → tolerance as people write it.
    """

    given: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Tolerances:
        """From ``METRIC=VALUE`` or ``METRIC@METHOD=VALUE``.

        Raises:
            UsageError: another form, a metric that does not exist, or that is relative to another cell.
        """
        given = {}
        for text in texts:
            # From the right: the parameters of a method have "=" in them.
            head, _, last = text.rpartition("=")
            match = _GIVEN.fullmatch(f"{head.replace('=', chr(0))}={last}")
            try:
                value = float(last)
            except ValueError:
                value = float("nan")
            if match is None or not 0 <= value < float("inf"):
                raise UsageError(
                    f"The tolerance '{text}' is not METRIC=VALUE or METRIC@METHOD=VALUE with a number from 0, such as "
                    "accuracy=2 (points) or ssim_hole@random=0.02."
                )
            metric = match["metric"]
            if not any(each.compared for each in declared(metric)):
                raise UsageError(f"{metric} says how attacks were trained, and is no result: nothing compares it.")
            if relative(metric):
                raise UsageError(f"{metric} is relative to another cell: give a tolerance for what it is made of.")
            given[metric, (match["method"] or "").replace(chr(0), "=")] = value
        return cls(given)

    def metrics(self, family: Family) -> list[Metric]:
        """The metrics of a family that are compared: results, but for those that are relative to another cell."""
        return [metric for metric in FAMILIES[family] if metric.compared and not relative(metric.name)]

    def leads(self, metric: Metric) -> bool:
        """Whether a metric leads its family, or is named: it has most of the bound on false alarms."""
        return metric.name in _LEADING[metric.family] or any(name == metric.name for name, _ in self.given)

    def of(self, metric: Metric, cell: CellKey) -> float:
        """The tolerance of a metric for a cell, as values are held: shares in [0, 1]."""
        for name in (metric.name, *led_by(metric)):
            for method in (cell.method_label, cell.method, ""):
                if (name, method) in self.given:
                    return self.given[name, method] / scale(metric)
        return _BY_UNIT[metric.unit]

    def unused(self, methods: set[str]) -> list[str]:
        """Methods that a tolerance names and that neither run has."""
        return sorted({method for _, method in self.given if method and method not in methods})
