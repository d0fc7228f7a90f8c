"""Training a network to find masks, on releases whose masks are known."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from maskbench.models.layers import place
from maskbench.models.mask_finder import MaskFinder
from maskbench.training.augment import Augmentation, Moves
from maskbench.training.inference import evaluating, run_in_batches
from maskbench.training.loader import image_batch, mask_batch
from maskbench.training.loop import Progress, minimise, scaled_crop
from maskbench.training.settings import Training

_BATCH = 512


def train_mask_finder(
    network: MaskFinder,
    released: Tensor,
    masks: Tensor,
    *,
    training: Training,
    flip: bool,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
) -> list[float]:
    """Train ``network(released) -> logits`` in place; return the mean loss of each epoch.

    released: uint8 (N, C, H, W); masks: uint8 (N, 1, H, W) (1 = kept). ``flip`` says whether the data and the method
    allow mirroring a pair. The loss is the cross-entropy of each pixel being kept; an absolute error, which serves
    restoration, settled on calling every pixel hidden where the fill was hard to tell. Raises DivergedTraining where
    the loss is not finite and UsageError for fewer than two images.
    """

    def loss_of(released: Tensor, masks: Tensor, moves: Moves) -> Tensor:
        # What is shifted in from outside is black in the image and hidden in the mask, and is learned as that.
        released, moved = moves(released, masks)
        logits = network(image_batch(released))
        return F.binary_cross_entropy_with_logits(logits.float(), mask_batch(moved))

    return minimise(
        network,
        loss_of,
        (released, masks),
        training=training,
        seed=seed,
        device=device,
        progress=progress,
        augmentation=Augmentation(scaled_crop(training, released), flip=flip and training.flip),
    )


def find_masks(network: MaskFinder, released: Tensor, device: torch.device) -> Tensor:
    """Return masks, uint8 (N, 1, H, W) on the CPU (1 = kept), for uint8 releases (N, C, H, W)."""
    place(network, device)
    with evaluating(network):
        scores = run_in_batches(network, released, None, device=device, batch_size=_BATCH)
    return (scores > 0).to(torch.uint8)
