"""How often a release finds its own picture among raw ones or other releases, or its person among other pictures."""

from __future__ import annotations

from maskbench.metrics.identification import FALSE_ACCEPTANCE
from maskbench.metrics.intervals import Statistic, mean, proportion
from maskbench.metrics.metric import Family, Metric, relative, stacked


def _declared(family: Family, prefix: str, candidate: str) -> tuple[Metric, ...]:
    """The metrics of one question.

    Args:
        prefix: of their names; the outcomes behind them have none.
        candidate: what is looked for.
    """

    def metric(
        name: str,
        description: str,
        statistic: Statistic = mean,
        *,
        short: str = "",
        main: bool = False,
        shown: bool = False,
    ) -> Metric:
        known = f"{prefix}{short or name}" if prefix else name
        return Metric(known, family, "lower", "share", description, stacked(name), statistic, main=main, shown=shown)

    rank_1 = metric(
        "rank_1",
        f"Share of releases for which {candidate} is the most alike of all candidates.",
        proportion,
        main=True,
        shown=True,
    )
    return (
        rank_1,
        metric("naive_rank_1", "The same of a guess: one over the number of candidates."),
        metric(
            "control_rank_1",
            f"The same of a candidate that no release is of, in the place of {candidate}.",
            proportion,
            shown=True,
        ),
        metric(
            "matching_auc",
            f"Share of pairs without a match that are less alike than a release and {candidate}.",
            short="auc",
            shown=True,
        ),
        metric(
            "matching_tpr",
            f"Share of releases told to be of {candidate} where {FALSE_ACCEPTANCE:.0%} of pairs without a match are.",
            proportion,
            short="tpr",
            shown=True,
        ),
        relative(rank_1, "null", f"{rank_1.name} minus that of fully masked images."),
    )


METRICS = _declared("matching", "", "its own raw picture")
LINKAGE_METRICS = _declared("linkage", "link_", "the other release of its picture")
PERSON_METRICS = _declared("person-linkage", "person_", "another picture of its person")
