"""How well masks that were withheld are found."""

from __future__ import annotations

from maskbench.metrics.metric import Metric, stacked

METRICS = (
    Metric(
        "mask_accuracy",
        "masks",
        "lower",
        "share",
        "Share of pixels that are rightly called kept or hidden by an attacker without the mask.",
        stacked("mask_accuracy"),
    ),
    Metric(
        "mask_iou",
        "masks",
        "lower",
        "share",
        "Intersection over union of kept pixels, true and found, of masks not released.",
        stacked("mask_iou"),
    ),
)
