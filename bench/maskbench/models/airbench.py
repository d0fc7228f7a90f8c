"""A network that learns in few steps, after airbench94."""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from maskbench.errors import UsageError
from maskbench.models.architecture import Architecture
from maskbench.models.recipe import Lookahead, NesterovSgd, Recipe
from maskbench.models.recognizer import Recognizer
from maskbench.release import to_float

MINIMUM_SIZE = 16
"""Smallest image side in pixels: the last block then has 1 × 1 positions."""

KERNEL = 2
"""Side in pixels of the patches that are whitened."""

WIDER = 4
"""How many times as wide as the first block the other two are."""

LOGIT_SCALE = 1 / 9
"""What keeps the logits of a wide head small at the start."""

FORGETTING = 0.4
"""Weight of the newest batch in the running statistics. So fast, they follow weights that return to an average."""

MEAN, STD = 0.5, 0.25
"""A normalisation for any image: the whitening takes care of the rest."""

WHITENED_IMAGES = 5_000
"""Training images that the whitening is computed from, the first ones: statistics of patches need no more."""

_CHUNK = 2**22  # patches at once: bounds the memory
_EPSILON = 5e-4  # added to the variances, so that directions without any are not blown up


class Airbench(Architecture):
    """a wide shallow CNN with a whitened input and an optimizer of its own; learns in few epochs; 16 px and more

    Six convolutions of which each begins as an identity, offsets without gains in its normalisations, and a first
    layer that is computed from the training images and stays as it is. Of airbench94 it takes the network, the
    optimizer, the lookahead and the alternating mirroring. Shifts, epochs and batch size are the suite's; nothing is
    mirrored or shifted in evaluation; what a shift brings in is black, not reflected. The rate is three times
    airbench94's: 5,000 images in 4 epochs are a 25th of what that was tuned for (64.3 → 69.4 % on cifar10-jpeg).
    """

    name: ClassVar[str] = "airbench"
    source: ClassVar[str] = "2404.00498 (airbench94, after KellerJordan/cifar10-airbench)"

    width: int = Field(64, ge=8, le=1024, description="channels of the first block; the others have four times as many")
    learning_rate: float = Field(34.5, gt=0, le=1000, description="at the peak, for each 1,024 images")
    weight_decay: float = Field(0.0153, ge=0, le=10, description="decoupled, for each 1,024 images")

    def build(self, *, channels: int, classes: int, size: tuple[int, int]) -> Recognizer:
        if min(size) < MINIMUM_SIZE:
            raise UsageError(
                f"Recognizer '{self.name}' needs images of at least {MINIMUM_SIZE} px, got {size[0]}×{size[1]}."
            )
        return WhitenedRecognizer(channels, classes, size, self.width, self._recipe())

    def _recipe(self) -> Recipe:
        optimizer = NesterovSgd(
            learning_rate=self.learning_rate,
            momentum=0.85,
            weight_decay=self.weight_decay,
            offsets=64.0,
            first=0.2,
            last=0.07,
            peak=0.23,
            label_smoothing=0.2,
        )
        return Recipe(
            optimizer=optimizer,
            lookahead=Lookahead(start=0.3, every=5, decay=0.95, power=3.0),
            alternating_flip=True,
            frozen={"network.whiten.bias": 0.3},
        )


class WhitenedRecognizer(Recognizer):
    """The network, whose first convolution is set from the training images when training begins."""

    whitened: Tensor

    def __init__(self, channels: int, classes: int, size: tuple[int, int], width: int, recipe: Recipe) -> None:
        whiten = nn.Conv2d(channels, 2 * channels * KERNEL**2, KERNEL)
        nn.init.zeros_(whiten.bias)  # type: ignore[arg-type]
        whiten.weight.requires_grad_(False)
        sides = [(side - KERNEL + 1) // 8 for side in size]
        layers = OrderedDict(
            whiten=whiten,
            activation=nn.GELU(),
            block1=_block(whiten.out_channels, width),
            block2=_block(width, WIDER * width),
            block3=_block(WIDER * width, WIDER * width),
            pool=nn.MaxPool2d((sides[0], sides[1])),
            flatten=nn.Flatten(),
            head=nn.Linear(WIDER * width, classes, bias=False),
            scale=Scaled(LOGIT_SCALE),
        )
        super().__init__(
            nn.Sequential(layers),
            feature_layers=[f"network.block{number}" for number in range(1, 4)],
            mean=[MEAN] * channels,
            std=[STD] * channels,
            recipe=recipe,
        )
        self.register_buffer("whitened", torch.zeros((), dtype=torch.bool))

    @torch.no_grad()
    def begin(self, images: Tensor) -> None:
        """Whiten the patches of the training images; not a second time, since what follows has learned from them."""
        if self.whitened:
            return
        filters = whitening(images[:WHITENED_IMAGES], self.mean.cpu(), self.std.cpu())
        weight = self.network.get_submodule("whiten").get_parameter("weight")
        weight.copy_(torch.cat([filters, -filters]))
        self.whitened.fill_(True)


class Scaled(nn.Module):
    """Multiplies by a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, K) to (N, K)."""
        return features * self.factor


def whitening(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """The filters after which the patches of some images are uncorrelated, each with a second moment of about 1.

    Args:
        images: uint8 (N, C, H, W).
        mean, std: (1, C, 1, 1), in the scale of [0, 1].

    Returns:
        float32 (4 C, C, 2, 2) on the CPU, from the direction of most variance to that of least.
    """
    channels = images.shape[1]
    length = channels * KERNEL**2
    moments = torch.zeros(length, length, dtype=torch.float64)
    count = 0
    for part in images.cpu().split(max(1, _CHUNK // images[0, 0].numel())):
        patches = F.unfold((to_float(part) - mean) / std, KERNEL).transpose(0, 1).flatten(1)  # 4C × all places
        moments += (patches @ patches.T).double()
        count += patches.shape[1]
    variances, directions = torch.linalg.eigh(moments / count)  # ascending; a direction in each column
    filters = (directions / (variances.clamp_min(0) + _EPSILON).sqrt()).T.flip(0)
    return filters.float().view(length, channels, KERNEL, KERNEL)


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        _identity(channels_in, channels_out),
        nn.MaxPool2d(2),
        _offsets(channels_out),
        nn.GELU(),
        _identity(channels_out, channels_out),
        _offsets(channels_out),
        nn.GELU(),
    )


def _identity(channels_in: int, channels_out: int) -> nn.Conv2d:
    """A convolution whose first filters hand on its inputs: a residual connection without one."""
    convolution = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(convolution.weight[:channels_in])
    return convolution


def _offsets(channels: int) -> nn.BatchNorm2d:
    """A batch normalisation that learns offsets alone."""
    normalisation = nn.BatchNorm2d(channels, momentum=FORGETTING)
    normalisation.weight.requires_grad_(False)
    return normalisation
