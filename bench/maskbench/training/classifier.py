"""Training a recognizer, and asking it."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maskbench.models.layers import place
from maskbench.models.recipe import Recipe
from maskbench.models.recognizer import Recognizer
from maskbench.training.augment import Augmentation, Moves
from maskbench.training.inference import evaluating, run_in_batches
from maskbench.training.loader import image_batch, mask_batch
from maskbench.training.loop import DivergedTraining, Progress, minimise, scaled_crop
from maskbench.training.settings import Training

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""(cross-entropy of a batch, logits, what a teacher says of it or None) → what is minimised."""

__all__ = ["DivergedTraining", "Loss", "predict", "train_classifier"]


def train_classifier(
    network: nn.Module,
    images: Tensor,
    masks: Tensor | None,
    labels: Tensor,
    *,
    training: Training,
    flip: bool,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
    taught: Tensor | None = None,
    loss: Loss = lambda task, logits, taught: task,
) -> list[float]:
    """Train ``network(images, masks) -> logits`` in place by cross-entropy; return the mean loss of each epoch.

    images: uint8 (N, C, H, W); masks: uint8 (N, 1, H, W) (1 = kept) or None; labels: int64 (N,). ``flip`` says whether
    the data may be mirrored. ``taught``: float32 (N, K), what a teacher says of the same images, for a ``loss`` that
    listens. Raises DivergedTraining where the loss is not finite and UsageError for fewer than two images.
    """
    prefix, recognizer = _recognizer(network)
    recipe = recognizer.recipe if recognizer is not None else Recipe()
    smoothing = training.label_smoothing
    if recipe.optimizer is not None:
        smoothing = max(smoothing, recipe.optimizer.label_smoothing)
    if recognizer is not None:
        recognizer.begin(images)

    def loss_of(images: Tensor, masks: Tensor | None, labels: Tensor, taught: Tensor | None, moves: Moves) -> Tensor:
        images, masks = moves(images, masks)
        logits = network(image_batch(images), mask_batch(masks))
        return loss(F.cross_entropy(logits, labels, label_smoothing=smoothing), logits, taught)

    return minimise(
        network,
        loss_of,
        (images, masks, labels, taught),
        training=training,
        seed=seed,
        device=device,
        progress=progress,
        augmentation=Augmentation(
            scaled_crop(training, images), flip=flip and training.flip, alternating=recipe.alternating_flip
        ),
        recipe=recipe,
        prefix=prefix,
    )


def _recognizer(network: nn.Module) -> tuple[str, Recognizer | None]:
    """The recognizer that a network holds, and where: ``adapter.recognizer.``; it says how it wants to be trained."""
    for name, module in network.named_modules():
        if isinstance(module, Recognizer):
            return f"{name}." if name else "", module
    return "", None


def predict(
    network: nn.Module, images: Tensor, masks: Tensor | None, *, device: torch.device, batch_size: int = 512
) -> Tensor:
    """Return the logits (N, K) as float32 on the CPU, for uint8 images (N, C, H, W) and masks (N, 1, H, W) or None."""
    place(network, device)
    with evaluating(network):
        return run_in_batches(network, images, masks, device=device, batch_size=batch_size)
