"""Training a restorer on pairs of released and raw images, and applying it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from maskbench.models.layers import place
from maskbench.release import Release
from maskbench.training.augment import Augmentation, Moves
from maskbench.training.inference import evaluating, run_in_batches
from maskbench.training.loader import image_batch, mask_batch
from maskbench.training.loop import Progress, minimise, scaled_crop
from maskbench.training.settings import Training
from maskbench.training.similarity import similarity_map

KEPT_WEIGHT = 0.1
"""Weight of the error on kept pixels: enough to stay consistent with them, too little to spend capacity on."""

ERROR_WEIGHT = 3.0
"""Weight of the absolute error beside the dissimilarity of structure. With 0.3, restorers of inverted digits stayed at
black pictures: far from the truth the similarity has next to no gradient. On faces (utkface64 at 32 px, 1,200 pairs, 12
epochs, one seed) 0.3 and 3 gave .654 and .652 hole SSIM."""


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
    renewed: Callable[[int], Release] | None = None,
) -> list[float]:
    """Train ``network(released, masks) -> restored`` in place; return the mean loss of each epoch.

    released, raw: uint8 (N, C, H, W) (their channels may differ); masks: uint8 (N, 1, H, W) (1 = kept) or None.
    ``flip`` says whether the data and the method allow mirroring a pair. The loss is 1 − SSIM plus ``ERROR_WEIGHT`` ·
    the absolute error, over hidden pixels where there is a mask (and the error, with a small weight, over kept ones),
    over all pixels where there is none (Zhao et al. 2017, arXiv 1511.08861, section III.C). Raises DivergedTraining
    where the loss is not finite and UsageError for fewer than two images.

    Args:
        renewed: number of an epoch, from 1 → another release of the same pictures. What was seen with one mask alone is
            learned by heart.
    """

    def loss_of(released: Tensor, masks: Tensor | None, raw: Tensor, moves: Moves) -> Tensor:
        # A channel of ones moves along and tells which pixels came in from outside: nothing is known about them.
        stacked = torch.cat([released, raw, torch.ones_like(raw[:, :1])], dim=1)
        stacked, masks = moves(stacked, masks)
        released, raw, inside = stacked.split([released.shape[1], raw.shape[1], 1], dim=1)
        kept = mask_batch(masks)
        restored = network(image_batch(released), kept)
        restored, truth, hidden = restored.float(), image_batch(raw), inside.float()
        weights = hidden
        if kept is not None:
            weights = hidden * (1 - (1 - KEPT_WEIGHT) * kept)
            hidden = hidden * (1 - kept)
        error = ((restored - truth).abs() * weights).sum() / (weights.sum() * raw.shape[1]).clamp_min(1.0)
        shown = restored if kept is None else torch.where(kept == 1, truth, restored)
        unlike = ((1 - similarity_map(shown, truth)) * hidden).sum() / hidden.sum().clamp_min(1.0)
        return ERROR_WEIGHT * error + unlike

    return minimise(
        network,
        loss_of,
        (released, masks, raw),
        training=training,
        seed=seed,
        device=device,
        progress=progress,
        augmentation=Augmentation(scaled_crop(training, released), flip=flip and training.flip),
        renewed=None if renewed is None else _tensors_of(renewed, raw),
    )


def _tensors_of(renewed: Callable[[int], Release], raw: Tensor) -> Callable[[int], tuple[Tensor | None, ...]]:
    def tensors(epoch: int) -> tuple[Tensor | None, ...]:
        release = renewed(epoch)
        return release.image_bytes, release.mask_bytes, raw

    return tensors


def restore(
    network: nn.Module,
    released: Tensor,
    masks: Tensor | None,
    *,
    device: torch.device,
    flip: bool = False,
    batch_size: int = 512,
) -> Tensor:
    """Return restored images, float32 (N, C, H, W) in [0, 1] on the CPU.

    Args:
        released: uint8 (N, C, H, W).
        masks: uint8 (N, 1, H, W), 1 = kept; None where the method has none.
        flip: whether a picture and its mirror image are restored, and the mean taken: where training mirrored pairs.
    """
    place(network, device)
    with evaluating(network):
        restored = run_in_batches(network, released, masks, device=device, batch_size=batch_size)
        if not flip:
            return restored
        mirrored = None if masks is None else masks.flip(-1)
        again = run_in_batches(network, released.flip(-1), mirrored, device=device, batch_size=batch_size)
        return (restored + again.flip(-1)) / 2
