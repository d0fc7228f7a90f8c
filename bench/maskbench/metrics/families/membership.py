"""What the weights of a recognizer of raw pictures tell of the pictures that it learned from."""

from __future__ import annotations

from maskbench.metrics.identification import FALSE_ACCEPTANCE
from maskbench.metrics.intervals import mean, proportion
from maskbench.metrics.metric import Metric, stacked

METRICS = (
    Metric(
        "membership_auc",
        "membership",
        "lower",
        "share",
        "Share of pairs in which a picture that the handed-out recognizer learned from is told from one that it did "
        "not; half by chance.",
        stacked("member_auc"),
        mean,
    ),
    Metric(
        "membership_tpr",
        "membership",
        "lower",
        "share",
        f"Share of pictures told to be learned from where {FALSE_ACCEPTANCE:.0%} of others are.",
        stacked("member_tpr"),
        proportion,
    ),
    Metric(
        "membership_control_auc",
        "membership",
        "lower",
        "share",
        "The same share of pairs for a recognizer that learned from none of these pictures: half, but for chance.",
        stacked("control_member_auc"),
        mean,
    ),
)
