"""What every obfuscation method must do, and the pictures its tests do it to."""

from __future__ import annotations

import torch
from maskbench import Method, Owner
from torch import Tensor
from torch.nn import functional as F

SHAPES = [(channels, *size) for channels in (1, 3) for size in ((28, 28), (32, 32), (64, 64), (48, 32))]
SEED = 11


def pictures(count: int, shape: tuple[int, int, int], seed: int = 0) -> Tensor:
    """Smooth random pictures with some grain, on the 8-bit grid: float32 count C H W in [0, 1]."""
    channels, height, width = shape
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, 5, 5, generator=generator)
    smooth = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=True)
    grain = 0.1 * torch.rand(count, channels, height, width, generator=generator)
    return ((0.9 * smooth + grain) * 255).round() / 255


def owner(images: Tensor, sensitive: Tensor | None = None, seed: int = 0) -> Owner:
    """A party with these training images, all of one class."""
    return Owner(
        images=images,
        labels=torch.zeros(len(images), dtype=torch.int64),
        classes=1,
        sensitive=sensitive,
        sensitive_classes=0 if sensitive is None else int(sensitive.max()) + 1,
        attributions={},
        seed=seed,
        device=torch.device("cpu"),
    )


def fitted(method: Method, images: Tensor, sensitive: Tensor | None = None, seed: int = 0) -> Method:
    """The method with the state it learns from these images."""
    return method.with_state(method.fit(owner(images, sensitive, seed)))


def check_release(method: Method, shape: tuple[int, int, int]) -> None:
    """Release 64 pictures at once, 7 at a time and one by one; in range, repeatable, and the same each time."""
    method = fitted(method, pictures(40, shape, seed=1))
    images, numbers = pictures(64, shape), torch.arange(100, 164)
    whole = method.release(images, seed=SEED, numbers=numbers)
    assert whole.masks is None
    assert whole.images.shape == images.shape
    assert not torch.equal(whole.images, images)
    for size in (1, 7, 64):
        parts = [
            method.release(batch, seed=SEED, numbers=number).images
            for batch, number in zip(images.split(size), numbers.split(size), strict=True)
        ]
        assert torch.equal(torch.cat(parts), whole.images), f"batches of {size} give another release"


def depends_on_the_seed(method: Method) -> bool:
    """Whether another seed gives another release of the same pictures by the same fitted method."""
    shape = SHAPES[-1]
    method = fitted(method, pictures(40, shape, seed=1))
    images, numbers = pictures(8, shape), torch.arange(8)
    first, second = (method.release(images, seed=seed, numbers=numbers).images for seed in (SEED, SEED + 1))
    return not torch.equal(first, second)
