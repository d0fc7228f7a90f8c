"""What the engine hands to a method, and what a method may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from maskbench.randomness import Randomness


@dataclass(frozen=True)
class Attribution:
    """A request for attributions: how much each pixel matters to a teacher trained by the same party.

    The class explained is the one the teacher predicts, never the true label, in training and in testing alike.

    Attributes:
        algorithm: a name from ``maskbench list attributions``.
        label: which label the teacher was trained for.
    """

    algorithm: str
    label: Literal["target", "sensitive"] = "target"


@dataclass(frozen=True)
class Given:
    """What a method is given along with a batch of N images.

    Attributes:
        rng: random streams, one an image; the only randomness a method may use.
        labels: int64 (N,), the task labels of training images; None when images of the test split are desensitized.
        attributions: request → float32 N 1 H W, for the requests that the method's ``requests`` named.
    """

    rng: Randomness
    labels: Tensor | None = None
    attributions: Mapping[Attribution, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class NoisyMap:
    """A release that is linear in each plane of the picture but for Laplace noise: clipped(matrix @ pixels + noise).

    Attributes:
        matrix: float64 (M, H·W), from the pixels of a plane, row by row, to the M values that get noise.
        scale: float64 (M,), of the noise of each value, in grey values of [0, 1].
        shown: int64 (H·W,), which value each pixel of the release shows.
    """

    matrix: Tensor
    scale: Tensor
    shown: Tensor


@dataclass(frozen=True)
class Owner:
    """What a method is fitted on: the training images of one party (the owner, or the attacker who re-fits it).

    Attributes:
        images: float32 N C H W in [0, 1], raw.
        labels: int64 (N,), task labels; ``classes`` of them.
        sensitive: int64 (N,) or None; ``sensitive_classes`` of them.
        attributions: as in :class:`Given`, for all images.
        seed: for anything random in ``fit``.
        device: where to compute; the tensors here live on the CPU.
    """

    images: Tensor
    labels: Tensor
    classes: int
    sensitive: Tensor | None
    sensitive_classes: int
    attributions: Mapping[Attribution, Tensor]
    seed: int
    device: torch.device
