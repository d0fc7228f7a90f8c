"""How close restorations come to the raw images: measured image by image, reported as the mean over images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from maskbench.metrics.comparison import Comparison
from maskbench.metrics.image import MS_SSIM_SIDE, gain, ms_ssim
from maskbench.metrics.metric import Direction, Measure, Metric, Outcomes, late_fall, relative, stacked
from maskbench.metrics.perceptual import lpips


def _ms_ssim(pictures: Comparison) -> Tensor | None:
    large = min(pictures.raw.shape[2:]) >= MS_SSIM_SIDE
    return ms_ssim(pictures.restored, pictures.raw) if large else None


def _lpips(pictures: Comparison) -> Tensor | None:
    network = pictures.perceptual
    return None if network is None else lpips(pictures.restored, pictures.raw, network)


def _declared(
    name: str,
    direction: Direction,
    unit: str,
    description: str,
    measure: Measure,
    *,
    main: bool = False,
    shown: bool = False,
    needs: str = "",
) -> Metric:
    return Metric(
        name,
        "restoration",
        direction,
        unit,
        description,
        stacked(name),
        measure=measure,
        main=main,
        shown=shown,
        needs=needs,
    )


_SSIM_HOLE = _declared(
    "ssim_hole",
    "lower",
    "1",
    "Mean of the structural similarity map over hidden pixels.",
    lambda pictures: pictures.close.ssim_hole,
    main=True,
    shown=True,
)

_BEST = 0.05
"""Share of the pictures that count as the best restored: a mean hides them."""


def _best_restored(outcomes: Outcomes) -> NDArray[np.float64] | None:
    """Whether a picture is among the best restored of its seed, and its SSIM if so: (seeds, images, 2)."""
    if "ssim_hole" not in outcomes.columns:
        return None
    reached = outcomes.columns["ssim_hole"].astype(np.float64)
    known = int((~np.isnan(reached)).all(axis=0).sum())
    if known == 0:
        return None
    count = max(1, round(_BEST * known))
    whole = np.where(np.isnan(reached).any(axis=0), -np.inf, reached)
    best = np.zeros_like(reached)
    np.put_along_axis(best, np.argsort(-whole, axis=1, kind="stable")[:, :count], 1.0, axis=1)
    return np.stack([best, best * reached], axis=-1)


def _mean_of_best(means: NDArray[np.float64]) -> NDArray[np.float64]:
    there = means[..., 0] > 0
    return np.divide(means[..., 1], means[..., 0], out=np.full(there.shape, np.nan), where=there)


METRICS = (
    _declared(
        "psnr",
        "lower",
        "dB",
        "Peak signal-to-noise ratio of the restoration, whole image, capped.",
        lambda pictures: pictures.close.psnr,
        shown=True,
    ),
    _declared(
        "psnr_hole",
        "lower",
        "dB",
        "Peak signal-to-noise ratio of the restoration, hidden pixels only, capped.",
        lambda pictures: pictures.close.psnr_hole,
        shown=True,
    ),
    _declared(
        "ssim",
        "lower",
        "1",
        "Structural similarity of the restoration to the raw image, borders cropped.",
        lambda pictures: pictures.close.ssim,
    ),
    _SSIM_HOLE,
    Metric(
        "ssim_hole_best",
        "restoration",
        "lower",
        "1",
        f"Mean of ssim_hole over the best restored {_BEST:.0%} of the pictures.",
        _best_restored,
        _mean_of_best,
        selected=_best_restored,
    ),
    _declared(
        "gain",
        "lower",
        "dB",
        "psnr_hole of the restoration minus psnr_hole of mean-fill.",
        lambda pictures: gain(pictures.restored, pictures.released, pictures.raw, pictures.hole),
        shown=True,
    ),
    _declared(
        "ms_ssim",
        "lower",
        "1",
        "Multi-scale structural similarity of the restoration to the raw image, five scales, borders cropped.",
        _ms_ssim,
        needs=f"images of at least {MS_SSIM_SIDE} px on each side",
    ),
    _declared(
        "lpips",
        "higher",
        "1",
        "Perceptual distance of the restoration from the raw image in a pretrained network's features (LPIPS).",
        _lpips,
        needs="a local file of backbone weights, named by the setting perceptual",
    ),
    late_fall("restoration"),
    relative(_SSIM_HOLE, "null", "ssim_hole minus that of restoring fully masked images."),
    relative(_SSIM_HOLE, "less_data", "ssim_hole minus that of an attacker with less data."),
)


def measured(pictures: Comparison) -> dict[str, Tensor]:
    """Metric → one value an image, (N,), of all that can be measured here."""
    found = {metric.name: metric.measure(pictures) for metric in METRICS if metric.measure is not None}
    return {name: values for name, values in found.items() if values is not None}
