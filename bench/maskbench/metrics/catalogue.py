"""Every metric that is reported, declared once: its name, which way is better, its unit, what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """One reported metric.

    ``direction`` is what the DATA OWNER wants: recognition should be "higher", leakage "lower". So a better
    restoration raises ``psnr``, and that is worse.
    """

    name: str
    direction: Direction
    unit: str
    description: str
    needs: str = ""
    """What has to be there for it to be measured, where that is not always so; ``run.json`` says what was not."""


_DECLARED = (
    Metric("accuracy", "higher", "share", "Share of images whose target label the recognizer gets right."),
    Metric("balanced_accuracy", "higher", "share", "Mean of the recalls of the target classes present."),
    Metric(
        "utility",
        "higher",
        "share of raw",
        "Accuracy, scaled so that the prior is 0 and training on raw is 1.",
    ),
    Metric(
        "advantage",
        "lower",
        "share",
        "Accuracy on the sensitive label beyond its prior: (acc − prior)/(1 − prior).",
    ),
    Metric("advantage_over_null", "lower", "share", "Advantage minus that on fully masked images."),
    Metric("advantage_over_less_data", "lower", "share", "Advantage minus that of an attacker with less data."),
    Metric(
        "bits",
        "lower",
        "bit",
        "What the attacker learned of the sensitive label beyond its prior, per image.",
    ),
    Metric("rank1", "lower", "share", "Share of images whose person is the most similar of all known ones."),
    Metric("rank5", "lower", "share", "Share of images whose person is among the five most similar known ones."),
    Metric("tar", "lower", "share", "Share of images whose person is accepted where 1 % of wrong ones would be."),
    Metric(
        "mask_accuracy",
        "lower",
        "share",
        "Share of pixels that who was not given the mask rightly calls kept or hidden.",
    ),
    Metric(
        "mask_iou", "lower", "share", "Intersection over union of kept pixels, true and found, of masks not released."
    ),
    Metric("psnr", "lower", "dB", "Peak signal-to-noise ratio of the restoration, whole image, capped."),
    Metric(
        "psnr_hole",
        "lower",
        "dB",
        "Peak signal-to-noise ratio of the restoration, hidden pixels only, capped.",
    ),
    Metric("ssim", "lower", "1", "Structural similarity of the restoration to the raw image, borders cropped."),
    Metric("ssim_hole", "lower", "1", "Mean of the structural similarity map over hidden pixels."),
    Metric(
        "ms_ssim",
        "lower",
        "1",
        "Multi-scale structural similarity of the restoration to the raw image, five scales, borders cropped.",
        needs="images of at least 161 px on each side",
    ),
    Metric(
        "lpips",
        "higher",
        "1",
        "Perceptual distance of the restoration from the raw image in a pretrained network's features (LPIPS).",
        needs="a local file of backbone weights, named by the setting perceptual",
    ),
    Metric("ssim_hole_over_null", "lower", "1", "ssim_hole minus that of restoring fully masked images."),
    Metric("ssim_hole_over_less_data", "lower", "1", "ssim_hole minus that of an attacker with less data."),
    Metric("gain", "lower", "dB", "psnr_hole of the restoration minus psnr_hole of mean-fill."),
)

CATALOGUE: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _DECLARED})
