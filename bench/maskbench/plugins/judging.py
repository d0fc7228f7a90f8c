"""Checks on what a plug-in proposes. Each raises one ContractViolation that says what was promised and what came."""

from __future__ import annotations

import torch
from torch import Tensor

from maskbench.errors import ContractViolation
from maskbench.release import Release


def images(proposed: object, like: Tensor, who: str) -> Tensor:
    """Check a batch of images against the batch it answers to: type, shape, device, finiteness, range."""
    tensor = _tensor(proposed, like.shape, like.device, who, "images")
    low, high = (float(bound) for bound in tensor.aminmax())
    if low < 0 or high > 1:
        raise ContractViolation(
            f"{who} returned images with values in [{low:.4g}, {high:.4g}], outside [0, 1]: scale or clamp them."
        )
    return tensor


def masks(proposed: object, like: Tensor, who: str) -> Tensor:
    """Check masks: one channel, binary."""
    shape = torch.Size((like.shape[0], 1, *like.shape[2:]))
    tensor = _tensor(proposed, shape, like.device, who, "masks")
    if not bool(((tensor == 0) | (tensor == 1)).all()):
        raise ContractViolation(f"{who} returned a mask that is not binary: 1 is kept, 0 is hidden, nothing between.")
    return tensor


def release(proposed: object, raw: Tensor, who: str, masked: bool) -> Release:
    """Check a whole release, and that what a mask keeps is the raw image, bit for bit."""
    if not isinstance(proposed, Release):
        raise ContractViolation(f"{who} returned {type(proposed).__name__}, not a maskbench.Release(images, masks).")
    if masked != (proposed.masks is not None):
        promised = "masks" if masked else "no masks"
        raise ContractViolation(f"{who} declares masked={masked}, so its release must come with {promised}.")
    shown = images(proposed.images, raw, who)
    if proposed.masks is None:
        return Release(shown)
    kept = masks(proposed.masks, raw, who)
    changed = int((((shown != raw).any(dim=1, keepdim=True)) & (kept == 1)).sum())
    if changed:
        raise ContractViolation(
            f"{who} changed {changed} pixels that its mask says are kept: kept pixels stay as they are."
        )
    return Release(shown, kept)


def ratio(kept: Tensor, promised: float, tolerance: float, who: str) -> None:
    """Check the hidden share of every image against the promised ratio."""
    hidden = 1 - kept.mean(dim=(1, 2, 3))
    worst = int((hidden - promised).abs().argmax())
    if abs(float(hidden[worst]) - promised) > tolerance + 1e-6:
        raise ContractViolation(
            f"{who} promised to hide {promised:.4g} of each image but hid {float(hidden[worst]):.4g} of image {worst} "
            f"(tolerance: one unit, {tolerance:.4g})."
        )


def logits(proposed: object, count: int, classes: int, who: str) -> Tensor:
    """Check an inference attack's answer: N × classes, finite, on the CPU."""
    return _tensor(proposed, torch.Size((count, classes)), torch.device("cpu"), who, "logits")


def _tensor(proposed: object, shape: torch.Size, device: torch.device, who: str, what: str) -> Tensor:
    if not isinstance(proposed, Tensor):
        raise ContractViolation(f"{who} returned {what} as {type(proposed).__name__}, not as a torch tensor.")
    if proposed.shape != shape:
        raise ContractViolation(f"{who} returned {what} of shape {tuple(proposed.shape)}, expected {tuple(shape)}.")
    if proposed.device != device:
        raise ContractViolation(f"{who} returned {what} on {proposed.device}, expected on {device}.")
    if not proposed.is_floating_point():
        raise ContractViolation(f"{who} returned {what} of type {proposed.dtype}, expected float32.")
    if not bool(torch.isfinite(proposed).all()):
        raise ContractViolation(f"{who} returned {what} with NaN or infinite values.")
    return proposed.to(torch.float32)
