"""Training a restorer on pairs of released and raw images, and applying it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskbench.models.layers import place
from maskbench.training.augment import Augmentation, Moves
from maskbench.training.inference import evaluating, run_in_batches
from maskbench.training.loader import image_batch, mask_batch
from maskbench.training.loop import Progress, minimise, scaled_crop
from maskbench.training.settings import Training

KEPT_WEIGHT = 0.1
"""Weight of the error on kept pixels: enough to stay consistent with them, too little to spend capacity on."""


def train_restorer(
    network: nn.Module,
    released: Tensor,
    masks: Tensor | None,
    raw: Tensor,
    *,
    training: Training,
    flip: bool,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
) -> list[float]:
    """Train ``network(released, masks) -> restored`` in place; return the mean loss of each epoch.

    released, raw: uint8 (N, C, H, W) (their channels may differ); masks: uint8 (N, 1, H, W) (1 = kept) or None.
    ``flip`` says whether the data and the method allow mirroring a pair. The loss is the absolute error, over hidden
    pixels where there is a mask (and, with a small weight, over kept ones), over all pixels where there is none; on
    digits it scored better than squared and Huber errors in hole PSNR and SSIM alike, on photographs than squared
    ones. Raises DivergedTraining where the loss is not finite and UsageError for fewer than two images.
    """

    def loss_of(released: Tensor, masks: Tensor | None, raw: Tensor, moves: Moves) -> Tensor:
        # A channel of ones moves along and tells which pixels came in from outside: nothing is known about them.
        stacked = torch.cat([released, raw, torch.ones_like(raw[:, :1])], dim=1)
        stacked, masks = moves(stacked, masks)
        released, raw, inside = stacked.split([released.shape[1], raw.shape[1], 1], dim=1)
        kept = mask_batch(masks)
        restored = network(image_batch(released), kept)
        weights = inside.float()
        if kept is not None:
            weights = weights * (1 - (1 - KEPT_WEIGHT) * kept)
        errors = (restored.float() - image_batch(raw)).abs()
        return (errors * weights).sum() / (weights.sum() * raw.shape[1]).clamp_min(1.0)

    return minimise(
        network,
        loss_of,
        (released, masks, raw),
        training=training,
        seed=seed,
        device=device,
        progress=progress,
        augmentation=Augmentation(scaled_crop(training, released), flip=flip and training.flip),
    )


def restore(
    network: nn.Module, released: Tensor, masks: Tensor | None, *, device: torch.device, batch_size: int = 512
) -> Tensor:
    """Return restored images, float32 (N, C, H, W) in [0, 1] on the CPU.

    Args:
        released: uint8 (N, C, H, W).
        masks: uint8 (N, 1, H, W), 1 = kept; None where the method has none.
    """
    place(network, device)
    with evaluating(network):
        return run_in_batches(network, released, masks, device=device, batch_size=batch_size)
