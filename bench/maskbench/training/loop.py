"""The one optimisation loop: what classifiers and restorers have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from maskbench.errors import MaskbenchError, UsageError
from maskbench.models.layers import place
from maskbench.training.loader import Batches
from maskbench.training.seeding import seeded
from maskbench.training.settings import Training

Progress = Callable[[float], None]
"""Told the share of the training that is done, in (0, 1]."""

WARM_UP = 0.3
"""Share of a one-cycle schedule spent on raising the rate; torch's default, and never a whole number of steps
times 1, where OneCycleLR would divide by zero."""

CROP_SIZE = 32
"""The image size in pixels at which ``Training.crop`` is stated."""


class DivergedTraining(MaskbenchError):
    """The loss stopped being finite."""


def minimise(
    network: nn.Module,
    loss_of: Callable[..., Tensor],
    tensors: Iterable[Tensor | None],
    *,
    training: Training,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
) -> list[float]:
    """Train ``network`` in place and leave it on ``device``; return the mean loss of each epoch.

    ``loss_of(*batch, generator)`` gets one batch of ``tensors`` (stored form, on the device) and a CPU generator to
    augment with, and returns the mean loss. On the CPU the same seed gives the same weights, bit for bit; the
    global generators are left as they were. On CUDA the forward pass runs in bfloat16 autocast.
    Raises UsageError for fewer than two images and DivergedTraining where the loss is not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    batches = Batches(list(tensors), batch_size=training.batch_size, device=device, generator=generator)
    if batches.count < 2:
        raise UsageError(f"Training needs at least two images, got {batches.count}; raise the limit.")
    place(network, device)
    network.train()
    steps = training.epochs * len(batches)
    optimizer = torch.optim.AdamW(
        _parameter_groups(network, training.weight_decay), lr=training.learning_rate, fused=True
    )
    scheduler = _schedule(optimizer, training, steps)
    losses: list[float] = []
    done = 0
    with seeded(seed):
        for epoch in range(training.epochs):
            total = torch.zeros((), device=device)
            for batch in batches.epoch():
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    loss = loss_of(*batch, generator)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                scheduler.step()
                total += loss.detach()
                done += 1
                if progress is not None:
                    progress(done / steps)
            losses.append(float(total) / len(batches))  # the one host sync of an epoch
            if not math.isfinite(losses[-1]):
                raise DivergedTraining(
                    f"The loss became {losses[-1]} in epoch {epoch + 1} of {training.epochs}; "
                    f"lower the learning rate (it is {training.learning_rate:g})."
                )
    return losses


def scaled_crop(training: Training, images: Tensor) -> int:
    """Return the largest random shift in pixels for images (N, C, H, W) of their size."""
    return round(training.crop * min(images.shape[-2:]) / CROP_SIZE)


def _parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Decay weights alone: shrinking biases and normalisation gains only fights the normalisation."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]


def _schedule(optimizer: torch.optim.Optimizer, training: Training, steps: int) -> LRScheduler:
    if training.schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=steps)
    return OneCycleLR(optimizer, max_lr=training.learning_rate, total_steps=steps + 1, pct_start=WARM_UP)
