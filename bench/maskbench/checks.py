"""Checks of arguments that the metrics share; each raises ValueError naming the argument."""

from __future__ import annotations

import torch
from torch import Tensor

# Half-precision images would quietly cost several dB of PSNR and most of SSIM's contrast term.
_IMAGE_TYPES = (torch.float32, torch.float64)


def check_images(**images: Tensor) -> None:
    """Refuse image batches that are not (N, C, H, W) float32/float64 of one shape, finite and within [0, 1]."""
    first_name, first = next(iter(images.items()))
    for name, batch in images.items():
        if batch.ndim != 4 or 0 in batch.shape[1:]:
            raise ValueError(f"{name}: expected a batch of images NCHW, got shape {tuple(batch.shape)}.")
        if batch.dtype not in _IMAGE_TYPES:
            raise ValueError(f"{name}: expected float32 or float64 in [0, 1], got {batch.dtype}.")
        if batch.shape != first.shape:
            raise ValueError(f"{name}: shape {tuple(batch.shape)} differs from {first_name}'s {tuple(first.shape)}.")
    if first.shape[0] == 0:
        return
    # One transfer from the device for all arguments; NaN goes through min and max.
    extremes = torch.stack([torch.stack(batch.aminmax()).double() for batch in images.values()]).tolist()
    for name, (low, high) in zip(images, extremes, strict=True):
        if not (low >= 0.0 and high <= 1.0):
            raise ValueError(f"{name}: expected finite values in [0, 1], got a range of [{low:g}, {high:g}].")


def check_masks(masks: Tensor, images: Tensor) -> Tensor:
    """Return where pixels are hidden, bool (N, 1, H, W), after refusing masks that are not (N, 1, H, W) of 0 and 1."""
    expected = (images.shape[0], 1, *images.shape[2:])
    if tuple(masks.shape) != expected:
        raise ValueError(f"masks: expected shape N1HW {expected}, got {tuple(masks.shape)}.")
    hidden = masks == 0
    if not bool((hidden | (masks == 1)).all()):
        raise ValueError("masks: expected only 0 (hidden) and 1 (kept).")
    return hidden


def check_logits(logits: Tensor, labels: Tensor, name: str = "logits", labels_name: str = "labels") -> None:
    """Refuse logits that are not finite (N, classes), or labels that are not N integers in [0, classes)."""
    if logits.ndim != 2 or logits.shape[1] == 0 or not logits.is_floating_point():
        raise ValueError(f"{name}: expected floats (N, classes), got {logits.dtype} {tuple(logits.shape)}.")
    check_labels(labels, logits.shape[1], labels_name)
    if len(labels) != len(logits):
        raise ValueError(f"{labels_name}: {len(labels)} labels for {len(logits)} rows of {name}.")
    if not bool(logits.isfinite().all()):
        raise ValueError(f"{name}: expected finite values, got NaN or infinity.")


def check_labels(labels: Tensor, classes: int, name: str = "labels") -> None:
    """Refuse labels that are not a vector of integers in [0, classes)."""
    if labels.ndim != 1 or labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise ValueError(f"{name}: expected a vector of integers, got {labels.dtype} {tuple(labels.shape)}.")
    if len(labels) and not bool(((labels >= 0) & (labels < classes)).all()):
        raise ValueError(f"{name}: expected class numbers in [0, {classes}).")
