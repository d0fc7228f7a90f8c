"""A compact U-Net that restores released images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maskbench.errors import UsageError
from maskbench.models.layers import zeroed

MINIMUM_SIZE = 16
"""Smallest image side in pixels: below it the deepest level would be less than 2 × 2."""

STRIDE = 8
"""How much smaller the deepest level is than the image: one pixel unshuffle and two strided convolutions."""

EPSILON = 1e-4
"""Weight of a coarser level where a finer one saw only a trace of kept pixels."""


class UNet(nn.Module):
    """Restores an image from a release and its mask (Ronneberger et al. 2015, arXiv 1505.04597, made small).

    The answer is a correction of a guess that needs no learning: holes filled by :func:`pull_push`, so training starts
    beyond a mean fill instead of working towards it. Everything is computed at half resolution (pixel unshuffle,
    Shi et al. 2016, arXiv 1609.05158), which is what makes it fast without a GPU. ``channels_in`` counts the
    image's channels and the mask's one. In evaluation mode the output is clamped to [0, 1]; in training it is not,
    because a clamped pixel has no gradient.
    """

    def __init__(self, channels_in: int, channels_out: int, width: int = 24) -> None:
        super().__init__()
        images = channels_in - 1
        self.guess_to_output = nn.Identity() if images == channels_out else nn.Conv2d(images, channels_out, 1)
        self.enter = _block((channels_in + images) * 4, width)
        self.down = nn.ModuleList([_block(width, 2 * width, stride=2), _block(2 * width, 4 * width, stride=2)])
        self.middle = _block(4 * width, 4 * width)
        self.up = nn.ModuleList([_block(6 * width, 2 * width), _block(3 * width, width)])
        self.leave = zeroed(nn.Conv2d(width, channels_out * 4, 3, padding=1))

    def forward(self, released: Tensor, masks: Tensor | None) -> Tensor:
        """Map float32 images (N, C, H, W) in [0, 1] to images of the same size.

        Masks are (N, 1, H, W), 1 = kept; None says that all is kept.
        Raises UsageError for images with a side below 16 pixels.
        """
        height, width = released.shape[-2:]
        if min(height, width) < MINIMUM_SIZE:
            raise UsageError(f"The U-Net needs images of at least {MINIMUM_SIZE} px, got {height}×{width}.")
        masks = torch.ones_like(released[:, :1]) if masks is None else masks
        guess = pull_push(released, masks)
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        features = F.pad(torch.cat([released, masks, guess], dim=1), padding, mode="replicate")
        features = self.enter(F.pixel_unshuffle(features, 2))
        skipped = []
        for down in self.down:
            skipped.append(features)
            features = down(features)
        features = features + self.middle(features)
        for up in self.up:
            features = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = up(torch.cat([features, skipped.pop()], dim=1))
        correction = F.pixel_shuffle(self.leave(features), 2)[..., :height, :width]
        restored = self.guess_to_output(guess) + correction
        return restored if self.training else restored.clamp(0.0, 1.0)


def pull_push(images: Tensor, masks: Tensor) -> Tensor:
    """Fill hidden pixels from ever coarser averages of the kept ones; kept pixels stay as they are.

    The pull-push interpolation of Gortler et al. 1996 ("The Lumigraph", section 3.4.2). images: (N, C, H, W); masks:
    (N, 1, H, W), 1 = kept. An image with nothing kept becomes 0.
    """
    if min(images.shape[-2:]) == 1:
        return images * masks
    even = (0, images.shape[-1] % 2, 0, images.shape[-2] % 2)
    weights = F.avg_pool2d(F.pad(masks, even), 2)
    sums = F.avg_pool2d(F.pad(images * masks, even), 2)
    pulled = sums / weights.clamp_min(EPSILON)
    coarse = pull_push(pulled, (weights > 0).to(masks.dtype))
    pushed = F.interpolate(coarse, size=images.shape[-2:], mode="bilinear", align_corners=False)
    return images * masks + pushed * (1 - masks)


def _block(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )
