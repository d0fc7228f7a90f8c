"""Every metric that is reported, by its family; each is declared in ``families``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from maskbench.metrics.families import found_masks, inference, matching, membership, recognition, restoration
from maskbench.metrics.intervals import Interval, interval
from maskbench.metrics.metric import Family, Metric, Outcomes

FAMILIES: Mapping[Family, tuple[Metric, ...]] = MappingProxyType(
    {
        "recognition": recognition.METRICS,
        "restoration": restoration.METRICS,
        "inference": inference.METRICS,
        "matching": matching.METRICS,
        "linkage": matching.LINKAGE_METRICS,
        "person-linkage": matching.PERSON_METRICS,
        "masks": found_masks.METRICS,
        "membership": membership.METRICS,
    }
)

MAIN: Mapping[Family, str] = MappingProxyType(
    {family: metric.name for family, metrics in FAMILIES.items() for metric in metrics if metric.main}
)
"""Family → the metric by which it is judged."""


def require_distinct(families: Mapping[Family, tuple[Metric, ...]]) -> None:
    """Refuse two metrics of one name: in ``cells``, one would stand for the other.

    Raises:
        ValueError: a family declares a name twice, or a metric stands in a family that it does not name.
    """
    for family, metrics in families.items():
        names = [metric.name for metric in metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"The family {family} declares the metric '{twice[0]}' twice. Rename one.")
        astray = next((metric for metric in metrics if metric.family != family), None)
        if astray is not None:
            raise ValueError(f"The metric '{astray.name}' says that its family is {astray.family}, not {family}.")


require_distinct(FAMILIES)


def metric_of(family: Family, name: str) -> Metric:
    """The metric of a name; KeyError where the family has none."""
    for metric in FAMILIES[family]:
        if metric.name == name:
            return metric
    raise KeyError(f"{family} has no metric {name}")


def estimates(family: Family, outcomes: Outcomes) -> dict[str, Interval]:
    """Metric → its value and interval, of all metrics of a family that the outcomes allow; in the declared order."""
    found = {metric.name: (metric, metric.averaged(outcomes)) for metric in FAMILIES[family]}
    return {name: interval(part, metric.statistic) for name, (metric, part) in found.items() if part is not None}
