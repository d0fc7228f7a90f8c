"""Checks on what a plug-in proposes. Each raises one ContractViolation that says what was promised and what came."""

from __future__ import annotations

import torch
from torch import Tensor

from maskbench.errors import ContractViolation
from maskbench.release import Release, to_bytes

_ROUNDING = 1e-6  # of a share, which the promised one is given in


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


def hidden_share(kept: Tensor) -> Tensor:
    """The share of each image that a mask hides: (N, 1, H, W), 1 = kept → float64 (N,)."""
    return 1 - kept.to(torch.float64).mean(dim=(1, 2, 3))


def ratio(kept: Tensor, promised: float | None, unit: float, who: str) -> None:
    """Check what each mask hides: something, at most half a unit less than promised, and at most one unit more.

    Args:
        kept: masks (N, 1, H, W), 1 = kept and 0 = hidden.
        promised: the share of each image that is hidden; None promises no share, but still that something is.
        unit: share of the image that one unit of the mask covers.

    Raises:
        ContractViolation: a mask hides nothing, too little or too much; the message says of how many images.
    """
    hidden = hidden_share(kept)
    promise = "to hide a part" if promised is None else f"to hide {promised:.4g}"
    said = f"{who} promised {promise} of each image but"
    nothing = hidden == 0
    if promised != 0 and bool(nothing.any()):
        raise ContractViolation(
            f"{said} hides nothing of {_how_many(nothing)}, where one unit of its mask is {unit:.4g} of the image: "
            "choose a smaller patch, geometry=pixel, or a larger ratio."
        )
    if promised is None:
        return
    little = hidden < promised - unit / 2 - _ROUNDING
    if bool(little.any()):
        raise ContractViolation(
            f"{said} hides too little of {_how_many(little)}, down to {float(hidden.min()):.4g} (half a unit of its "
            f"mask, {unit / 2:.4g}, may be missing): hide to the nearest unit, or choose a smaller one."
        )
    much = hidden > promised + unit + _ROUNDING
    if bool(much.any()):
        raise ContractViolation(
            f"{said} hides too much of {_how_many(much)}, up to {float(hidden.max()):.4g} (one unit of its mask, "
            f"{unit:.4g}, may be over): hide to the nearest unit, or choose a smaller one."
        )


def unchanged(shown: Tensor, raw: Tensor) -> Tensor:
    """Which 8-bit images came out as they went in: uint8 (N, C, H, W) each → bool (N,)."""
    return (shown == raw).flatten(1).all(dim=1)


def output(judged: Release, raw: Tensor, who: str) -> None:
    """Check that no image came out as it went in, whatever mask or parameters say.

    What is hidden may be of one colour, as a white image or the black around a digit is: a fill or a filter can meet
    that colour, and gives nothing else away.

    Raises:
        ContractViolation: an image came out as it went in; the message says how many did.
    """
    same = unchanged(to_bytes(judged.images), to_bytes(raw))
    if not bool(same.any()):
        return
    hidden = torch.ones_like(raw[:, :1]) if judged.masks is None else 1 - judged.masks
    bad = same & ~_of_one_colour(raw, hidden == 1)
    if not bool(bad.any()):
        return
    if judged.masks is None:
        raise ContractViolation(
            f"{who} released {_how_many(bad)} as raw as it came in: its parameters change nothing in images of "
            f"{raw.shape[3]}×{raw.shape[2]} px such as these. Choose stronger ones, or leave such images out."
        )
    raise ContractViolation(
        f"{who} released {_how_many(bad)} as raw as it came in: the fill shows what the mask hides. Choose another "
        "fill, or leave such images out."
    )


def logits(proposed: object, count: int, classes: int, who: str) -> Tensor:
    """Check an inference attack's answer: N × classes, finite, on the CPU."""
    return _tensor(proposed, torch.Size((count, classes)), torch.device("cpu"), who, "logits")


def scores(proposed: object, count: int, candidates: int, who: str) -> Tensor:
    """Check a matching attack's answer: N × candidates, finite, on the CPU."""
    return _tensor(proposed, torch.Size((count, candidates)), torch.device("cpu"), who, "scores")


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


def _of_one_colour(images: Tensor, where: Tensor) -> Tensor:
    """Whether an image has no two colours at some places, given as bool (N, 1, H, W): bool (N,), true for no place."""
    lowest = torch.where(where, images, torch.inf).amin(dim=(2, 3))
    highest = torch.where(where, images, -torch.inf).amax(dim=(2, 3))
    return (lowest >= highest).all(dim=1)


def _how_many(bad: Tensor) -> str:
    """``3 of 512 images``, or ``this image``, where it came alone."""
    return "this image" if len(bad) == 1 else f"{int(bad.sum())} of {len(bad)} images"
