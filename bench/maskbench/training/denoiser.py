"""Training a denoiser on raw images alone."""

from __future__ import annotations

import torch
from torch import Tensor

from maskbench.models.denoiser import Denoiser, signal_and_noise
from maskbench.training.augment import shift_and_flip
from maskbench.training.loader import image_batch
from maskbench.training.loop import Progress, minimise
from maskbench.training.settings import Training

HEAVIEST = 5.0
"""Largest weight of an error: what is left to do where there is hardly any noise should not displace the rest (Hang et
al. 2023, arXiv 2303.09556)."""

_LEAST = 1e-4  # noise of the level 0, which nothing can be divided by


def train_denoiser(
    network: Denoiser,
    raw: Tensor,
    *,
    training: Training,
    flip: bool,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
) -> list[float]:
    """Train ``network(noisy, levels) -> clean`` in place; return the mean loss of each epoch.

    raw: uint8 NCHW. ``flip`` says whether the data allow mirroring. Images are shown as −1 … 1; the loss is the squared
    error, weighted by the ratio of signal to noise where that is above 1 (arXiv 2202.00512, section 4). The levels of a
    batch are spread evenly over [0, 1] behind one random offset, so that its loss varies less (Kingma et al. 2021,
    arXiv 2107.00630, appendix I.1).
    Raises DivergedTraining where the loss is not finite and UsageError for fewer than two images.
    """

    def loss_of(raw: Tensor, generator: torch.Generator) -> Tensor:
        raw, _ = shift_and_flip(raw, None, padding=0, flip=flip and training.flip, generator=generator)
        images = image_batch(raw) * 2 - 1
        count = len(images)
        levels = (torch.rand((), device=device) + torch.arange(count, device=device) / count) % 1
        noise = torch.randn_like(images)
        signal, spread = (share[:, None, None, None] for share in signal_and_noise(levels))
        clean = network(signal * images + spread * noise, levels)
        weights = (signal / spread.clamp_min(_LEAST)).square().clamp(1.0, HEAVIEST)
        return ((clean.float() - images).square() * weights).mean()

    return minimise(network, loss_of, (raw,), training=training, seed=seed, device=device, progress=progress)
