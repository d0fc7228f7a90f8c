"""Restoration by the deep image prior: an untrained network, fitted to one image's kept pixels, fills its holes."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from maskbench import Release, RestorationAttack
from pydantic import Field
from torch import Tensor

_BATCH = 32  # images fitted at once: their activations stay in a core's cache, and a GPU is busy
_STRIDES = (1, 2)  # of the convolutions on the way down, from half the image's resolution
_NARROW = 4  # how many times fewer channels there are at full resolution, where they would cost most of the time
_SLOPE = 0.1  # of the leaky ReLU, as in 1711.10925's code
_SMOOTHNESS = 1.5  # exponent of the spectrum of the network's input: see `smooth_noise`
# Adam divides by the size of a gradient: with its usual 1e-8, gradients that are nothing but rounding move weights by
# whole steps, and the batch, which changes the rounding, changed pixels by up to 4 levels of 255; with this, by 0.02.
_EPSILON = 1e-5
_AVERAGED = 0.5  # share of the iterations, the last ones, whose outputs are averaged: one alone is noisier


class DeepImagePrior(RestorationAttack):
    """Deep image prior: for each image, fit a small untrained network to its kept pixels. No training data.

    What it knows is that convolutions find natural images sooner than noise. It needs masks: fitted to a release in
    which every pixel is shown, it could only return that release.

    All images start from the same weights and the same input, and share nothing else: a batch is one network whose
    convolutions are grouped by image.
    """

    name: ClassVar[str] = "deep-image-prior"
    source: ClassVar[str] = "1711.10925, section 3.3 (inpainting); smaller, and without added noise"
    needs_masks: ClassVar[bool] = True
    restores_training: ClassVar[bool] = False

    iterations: int = Field(100, ge=1, le=100_000, description="steps of the optimiser for each image")
    width: int = Field(32, ge=1, description="channels of every layer")
    learning_rate: float = Field(0.01, gt=0, le=1, description="rate of Adam")

    def restore(self, release: Release, device: torch.device) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            parts = [release.select(index) for index in torch.arange(len(release)).split(_BATCH)]
            return torch.cat([self._fitted(part.images.to(device), part.kept.to(device)).cpu() for part in parts])

    def _fitted(self, images: Tensor, masks: Tensor) -> Tensor:
        """What the networks show when they are fitted, (N, C, H, W) in [0, 1]."""
        count, channels, height, width = images.shape
        generator = torch.Generator().manual_seed(0)
        half = (-(-height // 2), -(-width // 2))
        inputs = smooth_noise(self.width, half, generator).repeat(count, 1, 1)[None].to(images.device)
        weights = [
            weight.repeat(count, *[1] * (weight.ndim - 1)).to(images.device).requires_grad_()
            for weight in _initial_weights(channels, self.width, generator)
        ]
        optimizer = torch.optim.Adam(weights, lr=self.learning_rate, eps=_EPSILON)
        known = (masks.sum((1, 2, 3)) * channels).clamp_min(1)
        first = int(self.iterations * (1 - _AVERAGED))
        total = torch.zeros_like(images)
        for iteration in range(self.iterations):
            shown = _network(weights, inputs, count, (height, width))
            # A sum over images of each one's mean: no image's gradient depends on how many there are.
            loss = (((shown - images) * masks).square().sum((1, 2, 3)) / known).sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if iteration >= first:
                total += shown.detach()
        return (total / (self.iterations - first)).clamp(0, 1)


def smooth_noise(channels: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Noise that is stronger the coarser it is, C H W with unit deviation: the fixed input of the network.

    White noise, as in 1711.10925, suits holes of single pixels. Across a hidden patch it leaves the network free to
    draw anything; with coarse structure in it, near places are drawn alike (on 24 small photographs with 4 × 4
    patches hidden, hole PSNR was 0.6 dB and SSIM 0.07 higher).
    """
    total, scale = torch.zeros(channels, *size), 1
    while scale <= min(size):
        coarse = torch.randn(1, channels, *(-(-side // scale) for side in size), generator=generator)
        total += scale**_SMOOTHNESS * F.interpolate(coarse, size=size, mode="bicubic")[0]
        scale *= 2
    return total / total.std((1, 2), keepdim=True)


def _initial_weights(channels: int, width: int, generator: torch.Generator) -> list[Tensor]:
    """For each layer a kernel, gains and offsets; then the kernel that narrows, and the last kernel and its offsets.

    The last are zero: an image starts as mid-grey, and stays so where nothing is known.
    """
    deviation = (2 / (9 * width)) ** 0.5  # He et al. 2015, arXiv 1502.01852
    weights = []
    for _ in range(2 * len(_STRIDES)):
        kernel = deviation * torch.randn(width, width, 3, 3, generator=generator)
        weights += [kernel, torch.ones(width), torch.zeros(width)]
    narrow = -(-width // _NARROW)
    narrowing = width**-0.5 * torch.randn(narrow, width, 1, 1, generator=generator)
    return [*weights, narrowing, torch.zeros(channels, narrow, 3, 3), torch.zeros(channels)]


def _network(weights: list[Tensor], inputs: Tensor, count: int, size: tuple[int, int]) -> Tensor:
    """An hourglass with one skip connection a level, for ``count`` images: (1, N·width, h, w) → (N, C, H, W)."""
    *hidden, narrowing, kernel, offsets = weights
    layers = [hidden[start : start + 3] for start in range(0, len(hidden), 3)]
    features, skipped = inputs, []
    for layer, stride in zip(layers, _STRIDES, strict=False):
        features = _layer(features, layer, stride, count)
        skipped.append(features)
    features = _layer(skipped.pop(), layers[len(_STRIDES)], 1, count)
    for layer in layers[len(_STRIDES) + 1 :]:
        skip = skipped.pop()
        features = _layer(_enlarged(features, skip.shape[2:], count) + skip, layer, 1, count)
    features = _enlarged(F.conv2d(features, narrowing, groups=count), size, count)
    shown = F.conv2d(features, kernel, offsets, padding=1, groups=count)
    return shown.view(count, -1, *size).sigmoid()


def _layer(features: Tensor, layer: list[Tensor], stride: int, count: int) -> Tensor:
    kernel, gains, offsets = layer
    features = F.conv2d(features, kernel, padding=1, stride=stride, groups=count)
    # One row holds all images, each with channels of its own: this normalises every image by itself.
    features = F.batch_norm(features, None, None, gains, offsets, training=True)
    return F.leaky_relu(features, _SLOPE)


def _enlarged(features: Tensor, size: tuple[int, ...], count: int) -> Tensor:
    # A row for each image: one row of that many channels would be copied into another memory format first.
    rows = features.view(count, -1, *features.shape[2:])
    return F.interpolate(rows, size=tuple(size), mode="bilinear").view(1, -1, *size)
