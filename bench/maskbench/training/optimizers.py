"""Optimizers and their schedules: what the suite says, or what an architecture's recipe says instead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR

from maskbench.errors import UsageError
from maskbench.models.recipe import NesterovSgd, Recipe
from maskbench.training.settings import CLASSIFICATION, Training

WARM_UP = 0.3
"""Share of a one-cycle schedule spent on raising the rate; torch's default, and never a whole number of steps
times 1, where OneCycleLR would divide by zero."""

THOUSAND = 1_024
"""Images that a recipe's rate and decay are stated for."""

BROUGHT = ("learning_rate", "weight_decay", "schedule")
"""Settings of a suite that a recipe with its own optimizer has no use for."""

_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def optimization(
    network: nn.Module, training: Training, recipe: Recipe, *, prefix: str, batch: int, steps: int
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    """The optimizer of a network that lies on its device, and the schedule of its rate.

    Args:
        prefix: where in ``network`` the names of the recipe begin.
        batch: images of a step.
        steps: of the whole training.

    Raises:
        UsageError: the suite sets what the recipe brings.
    """
    if recipe.optimizer is None:
        return _adamw(network, training, steps)
    _refuse_unused(training)
    return _nesterov(
        network, recipe.optimizer, {prefix + name: share for name, share in recipe.frozen.items()}, batch, steps
    )


def _adamw(network: nn.Module, training: Training, steps: int) -> tuple[torch.optim.Optimizer, LRScheduler]:
    optimizer = torch.optim.AdamW(_decayed(network, training.weight_decay), lr=training.learning_rate, fused=True)
    if training.schedule == "cosine":
        return optimizer, CosineAnnealingLR(optimizer, T_max=steps)
    schedule = OneCycleLR(optimizer, max_lr=training.learning_rate, total_steps=steps + 1, pct_start=WARM_UP)
    return optimizer, schedule


def _decayed(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Decay weights alone: shrinking biases and normalisation gains only fights the normalisation."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]


def _nesterov(
    network: nn.Module, settings: NesterovSgd, frozen: dict[str, float], batch: int, steps: int
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    # What a step of Nesterov's adds up to while the gradient stays as it is: without it the momentum would scale it.
    scale = THOUSAND * (1 + 1 / (1 - settings.momentum))
    rate = settings.learning_rate * batch / scale
    decay = settings.weight_decay * batch / scale
    offsets = {
        id(module.bias)
        for module in network.modules()
        if isinstance(module, _NORMALISATIONS) and module.bias is not None
    }
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            factor = settings.offsets if id(parameter) in offsets else 1.0
            groups.setdefault((factor, frozen.get(name, 1.0)), []).append(parameter)
    optimizer = torch.optim.SGD(
        [
            {"params": parameters, "lr": rate * factor, "weight_decay": decay / (rate * factor)}
            for (factor, _), parameters in groups.items()
        ],
        lr=rate,
        momentum=settings.momentum,
        nesterov=True,
        fused=True,
    )
    rates: list[Callable[[int], float]] = [partial(_triangle, settings, steps, until) for _, until in groups]
    return optimizer, LambdaLR(optimizer, rates)


def _triangle(settings: NesterovSgd, steps: int, until: float, step: int) -> float:
    """The rate at a step as a share of the peak; 0 from the share ``until`` of the training on."""
    done = step / steps
    if done >= until < 1:
        return 0.0
    if done < settings.peak:
        return settings.first + (1 - settings.first) * done / settings.peak
    return settings.last + (1 - settings.last) * (1 - done) / (1 - settings.peak)


def _refuse_unused(training: Training) -> None:
    given = [name for name in BROUGHT if getattr(training, name) != getattr(CLASSIFICATION, name)]
    if given:
        raise UsageError(
            f"This recognizer brings its own optimizer, so the suite's {' and '.join(given)} would not be used: "
            "leave it out, or set the parameters of the recognizer (`maskbench list recognizers`)."
        )
