"""The one optimisation loop: what classifiers and restorers have in common."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from maskbench.errors import MaskbenchError, UsageError
from maskbench.models.layers import place
from maskbench.models.recipe import Recipe
from maskbench.numerics import autocast, training_precision
from maskbench.randomness import seeded
from maskbench.training.augment import Augmentation, Draws, Moves
from maskbench.training.loader import Batches
from maskbench.training.lookahead import SlowWeights
from maskbench.training.losses import show_losses
from maskbench.training.moving_average import MovingAverage
from maskbench.training.optimizers import optimization
from maskbench.training.recording import Backward, Graphs, Inputs, Replayed, own_stream, recording_allowed
from maskbench.training.settings import Training

Progress = Callable[[float], None]
"""Told the share of the training that is done, in (0, 1]."""

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
    augmentation: Augmentation | None = None,
    recipe: Recipe | None = None,
    prefix: str = "",
    renewed: Callable[[int], Sequence[Tensor | None]] | None = None,
) -> list[float]:
    """Train ``network`` in place and leave it on ``device``; return the mean loss of each epoch.

    ``loss_of(*batch, generator)`` gets one batch of ``tensors`` (stored form, on the device) and a CPU generator to
    augment with, and returns the mean loss. On the CPU the same seed gives the same weights, bit for bit; the
    global generators are left as they were. On CUDA the forward pass runs in bfloat16 autocast, unless another
    precision was chosen.

    Args:
        augmentation: with one, ``loss_of(*batch, moves)`` gets what was drawn for the batch instead of the generator.
            It draws nothing itself and never waits for the device: on CUDA its steps are recorded and replayed.
        recipe: of the architecture; None: as ``training`` says.
        prefix: where in ``network`` the names of the recipe begin.
        renewed: number of an epoch, from 1 → what takes the place of ``tensors`` from then on.

    Raises:
        UsageError: there are fewer than two images, or ``training`` sets what the recipe brings.
        DivergedTraining: the loss is not finite.
    """
    recipe = recipe or Recipe()
    generator = torch.Generator().manual_seed(seed)
    with own_stream(device):
        batch_size = recipe.batch_size or training.batch_size
        batches = Batches(list(tensors), batch_size=batch_size, device=device, generator=generator)
        if batches.count < 2:
            raise UsageError(f"Training needs at least two images, got {batches.count}; raise the limit.")
        place(network, device)
        network.train()
        steps = training.epochs * len(batches)
        optimizer, scheduler = optimization(
            network, training, recipe, prefix=prefix, batch=batches.sizes[0], steps=steps
        )
        slow = None if recipe.lookahead is None else SlowWeights(network, recipe.lookahead, steps)
        average = MovingAverage(network, training.average) if training.average else None
        draws = None if augmentation is None else Draws(augmentation, batches.count, generator)
        backward = _backward(_loss(loss_of, augmentation, generator), optimizer, device)
        if draws is not None and recording_allowed(device):
            left = {size: number * training.epochs for size, number in Counter(batches.sizes).items()}
            backward = Replayed(backward, list(network.parameters()), left, Graphs())
        losses: list[float] = []
        done = 0
        with seeded(seed), training_precision(device):
            for epoch in range(training.epochs):
                if renewed is not None and epoch > 0:
                    batches.renew(renewed(epoch))
                total = torch.zeros((), device=device)
                for inputs in _epoch(batches, draws):
                    loss = backward(inputs)
                    optimizer.step()
                    scheduler.step()
                    total += loss
                    done += 1
                    if slow is not None:
                        slow.after(done)
                    if average is not None:
                        average.after(done)
                    if progress is not None:
                        progress(done / steps)
                if slow is not None:
                    slow.settle()
                losses.append(float(total) / len(batches))  # the one host sync of an epoch
                if not math.isfinite(losses[-1]):
                    raise DivergedTraining(_divergence(losses, training, recipe))
        if average is not None:
            average.settle()
        optimizer.zero_grad(set_to_none=True)  # recorded gradients would keep the memory of all recordings
    show_losses(losses)
    return losses


def scaled_crop(training: Training, images: Tensor) -> int:
    """Return the largest random shift in pixels for images (N, C, H, W) of their size."""
    return round(training.crop * min(images.shape[-2:]) / CROP_SIZE)


def _epoch(batches: Batches, draws: Draws | None) -> Iterator[Inputs]:
    """The inputs of each step: a batch, and the two tensors of its moves where they are drawn beforehand."""
    if draws is None:
        return batches.epoch()
    return ((*batch, *moves.tensors) for batch, moves in batches.moved_epoch(draws))


def _loss(
    loss_of: Callable[..., Tensor], augmentation: Augmentation | None, generator: torch.Generator
) -> Callable[[Inputs], Tensor]:
    if augmentation is None:
        return lambda inputs: loss_of(*inputs, generator)
    padding = augmentation.padding
    return lambda inputs: loss_of(*inputs[:-2], Moves(padding, *inputs[-2:]))


def _backward(loss_of: Callable[[Inputs], Tensor], optimizer: torch.optim.Optimizer, device: torch.device) -> Backward:
    def backward(inputs: Inputs) -> Tensor:
        with autocast(device):
            loss = loss_of(inputs)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        return loss.detach()

    return backward


def _divergence(losses: list[float], training: Training, recipe: Recipe) -> str:
    where = f"The loss became {losses[-1]} in epoch {len(losses)} of {training.epochs}"
    if recipe.optimizer is not None:
        return f"{where}; lower the learning rate of the recognizer (it is {recipe.optimizer.learning_rate:g})."
    return f"{where}; lower the learning rate (it is {training.learning_rate:g})."
