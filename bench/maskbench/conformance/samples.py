"""Synthetic pictures to check plug-ins on: small, seeded, and the same for a number in any batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from maskbench.plugins.given import Attribution, Owner
from maskbench.randomness import Randomness, derive
from maskbench.release import to_bytes, to_float

Shape = tuple[int, int, int]

STANDARD: Shape = (3, 32, 32)
OTHER_SHAPES: tuple[Shape, ...] = tuple(
    (channels, *size) for channels in (1, 3) for size in ((28, 28), (32, 32), (64, 64), (48, 32))
)
CLASSES = 4
SENSITIVE_CLASSES = 8  # two pictures each among the owner's: enough identities for methods that mix some
OWNER_IMAGES = 16
CPU = torch.device("cpu")

_COARSE = 4  # side of the grid of colours that a picture is interpolated from
_GRAIN = 0.1  # amplitude of the noise on top
_FLAT_EACH = 3  # every third picture has a flat half, as drawings and digits have


@dataclass(frozen=True)
class Batch:
    """Pictures with what the engine hands out beside them.

    Attributes:
        images: float32 (N, C, H, W) in [0, 1], on the 8-bit grid.
        numbers: int64 (N,), the number of each picture in its data set.
        labels, sensitive: int64 (N,).
        attributions: request → float32 (N, 1, H, W).
    """

    images: Tensor
    numbers: Tensor
    labels: Tensor
    sensitive: Tensor
    attributions: dict[Attribution, Tensor]

    def __len__(self) -> int:
        return len(self.numbers)

    def copy(self) -> Batch:
        """The same, for someone who may write into the images."""
        return replace(self, images=self.images.clone())

    def split(self, size: int) -> list[Batch]:
        """The same pictures in batches of a size."""
        return [self.select(index) for index in torch.arange(len(self)).split(size)]

    def select(self, index: Tensor) -> Batch:
        """Some of the pictures."""
        answers = {request: values[index] for request, values in self.attributions.items()}
        return Batch(self.images[index], self.numbers[index], self.labels[index], self.sensitive[index], answers)

    def owner(self, seed: int, device: torch.device = CPU) -> Owner:
        """The party that holds these pictures."""
        return Owner(
            images=self.images.clone(),
            labels=self.labels.clone(),
            classes=CLASSES,
            sensitive=self.sensitive.clone(),
            sensitive_classes=SENSITIVE_CLASSES,
            attributions=dict(self.attributions),
            seed=seed,
            device=device,
        )


def batch(
    count: int,
    shape: Shape = STANDARD,
    *,
    first: int = 0,
    requests: Sequence[Attribution] = (),
    images: Tensor | None = None,
) -> Batch:
    """``count`` pictures with the numbers ``first``, ``first`` + 1, …; ``images`` replaces the drawn ones."""
    numbers = torch.arange(first, first + count)
    return Batch(
        images=pictures(numbers, shape) if images is None else images,
        numbers=numbers,
        labels=numbers % CLASSES,
        sensitive=numbers // 2 % SENSITIVE_CLASSES,
        attributions={request: _attribution(request, numbers, shape) for request in requests},
    )


def pictures(numbers: Tensor, shape: Shape) -> Tensor:
    """Smooth colours with grain; some with a flat half, where every place scores alike."""
    channels, height, width = shape
    rng = Randomness(derive(0, "conformance", "pictures"), numbers)
    colours = F.interpolate(rng.uniform(channels, _COARSE, _COARSE), size=(height, width), mode="bilinear")
    drawn = (colours + _GRAIN * (rng.uniform(*shape) - 0.5)).clamp(0, 1)
    flat = (numbers % _FLAT_EACH == 0)[:, None, None, None] & (torch.arange(width) < width // 2)
    return to_float(to_bytes(torch.where(flat, 0.0, drawn)))


def masks(numbers: Tensor, shape: Shape, ratio: float = 0.5) -> Tensor:
    """Float32 (N, 1, H, W): each pixel hidden with probability ``ratio``."""
    rng = Randomness(derive(0, "conformance", "masks"), numbers)
    return (rng.uniform(1, *shape[1:]) >= ratio).to(torch.float32)


def _attribution(request: Attribution, numbers: Tensor, shape: Shape) -> Tensor:
    seed = derive(0, "conformance", request.algorithm, request.label)
    return Randomness(seed, numbers).normal(1, *shape[1:])


def written(shape: Shape) -> str:
    """``3×48×32``."""
    return "×".join(str(side) for side in shape)
