"""What an architecture says of its training: its optimizer, its schedule, its averages, its mirroring."""

from __future__ import annotations

import pytest
import torch
from maskbench.errors import UsageError
from maskbench.models.recipe import Lookahead, NesterovSgd, Recipe
from maskbench.models.recognizer import ImageOnly, Recognizer
from maskbench.training.augment import Augmentation, Draws
from maskbench.training.classifier import train_classifier
from maskbench.training.lookahead import SlowWeights
from maskbench.training.optimizers import optimization
from maskbench.training.settings import CLASSIFICATION
from torch import Tensor, nn

CPU = torch.device("cpu")
SGD = NesterovSgd(learning_rate=8.0, momentum=0.5, weight_decay=0.1, offsets=4.0, first=0.2, last=0.1, peak=0.25)
STEPS, BATCH = 40, 16


def _network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 3))


def _rates(recipe: Recipe, network: nn.Module) -> dict[str, list[float]]:
    """Name of a parameter → its rate at each step."""
    optimizer, schedule = optimization(network, CLASSIFICATION, recipe, prefix="", batch=BATCH, steps=STEPS)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    rates: dict[str, list[float]] = {name: [] for name in names.values()}
    for _ in range(STEPS):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                rates[names[id(parameter)]].append(group["lr"])
        optimizer.step()
        schedule.step()
    return rates


def test_rates_rise_and_fall_and_offsets_and_frozen_weights_have_their_own() -> None:
    rates = _rates(Recipe(optimizer=SGD, frozen={"0.bias": 0.5}), _network())
    peak = SGD.learning_rate * BATCH / (1024 * (1 + 1 / (1 - SGD.momentum)))
    usual = rates["0.weight"]
    assert usual[0] == pytest.approx(0.2 * peak) and usual[10] == pytest.approx(peak)
    assert max(usual) == usual[10] and usual[-1] == pytest.approx((0.1 + 0.9 / 30) * peak)
    assert rates["1.bias"] == pytest.approx([4 * rate for rate in usual])
    assert rates["1.weight"] == usual
    assert rates["0.bias"][:20] == usual[:20] and rates["0.bias"][20:] == [0.0] * 20


def test_decay_does_not_depend_on_the_rate() -> None:
    network = _network()
    for rate in (1.0, 16.0):
        recipe = Recipe(optimizer=NesterovSgd(learning_rate=rate, momentum=0.5, weight_decay=0.1, offsets=4.0))
        optimizer, _ = optimization(network, CLASSIFICATION, recipe, prefix="", batch=BATCH, steps=STEPS)
        taken = {group["initial_lr"] * group["weight_decay"] for group in optimizer.param_groups}
        assert max(taken) == pytest.approx(0.1 * BATCH / (1024 * 3)) and max(taken) == pytest.approx(min(taken))


@pytest.mark.parametrize("change", [{"learning_rate": 1e-3}, {"weight_decay": 0.0}, {"schedule": "cosine"}])
def test_a_suite_that_sets_what_the_recipe_brings_is_refused(change: dict[str, object]) -> None:
    training = CLASSIFICATION.model_copy(update=change)
    with pytest.raises(UsageError, match=f"{next(iter(change))} would not be used"):
        optimization(_network(), training, Recipe(optimizer=SGD), prefix="", batch=BATCH, steps=STEPS)


def test_lookahead_returns_to_an_average() -> None:
    network = nn.Linear(1, 1, bias=False)
    slow = SlowWeights(network, Lookahead(start=0.5, every=2, decay=0.5, power=0.0), steps=8)
    seen = []
    for step in range(1, 9):
        network.weight.data.fill_(float(step))
        slow.after(step)
        seen.append(float(network.weight.detach()))
    # It begins at step 4 and returns at 6 and 8: each time three quarters of the way from the average to the weights.
    assert seen == [1, 2, 3, 4, 5, 5.5, 7, 0.25 * 5.5 + 0.75 * 8]
    network.weight.data.fill_(100.0)
    slow.settle()
    assert float(network.weight.detach()) == seen[-1]


def test_alternating_mirrors_show_each_image_both_ways() -> None:
    count = 200
    draws = Draws(Augmentation(0, flip=True, alternating=True), count, torch.Generator().manual_seed(0))
    shown = []
    for epoch in range(4):
        order = torch.randperm(count, generator=torch.Generator().manual_seed(epoch))
        mirrored = draws.epoch(order, [150, 50]).mirrored
        assert mirrored is not None
        by_image = torch.empty(count, dtype=torch.bool)
        by_image[order] = mirrored.flatten()
        shown.append(by_image)
    assert torch.equal(shown[0], ~shown[1]) and torch.equal(shown[0], shown[2]) and torch.equal(shown[1], shown[3])
    assert 70 < int(shown[0].sum()) < 130


def test_draws_of_an_epoch_are_those_of_its_batches() -> None:
    sizes = [5, 5, 4]
    whole = Draws(Augmentation(2, flip=True), 14, torch.Generator().manual_seed(3)).epoch(torch.arange(14), sizes)
    generator = torch.Generator().manual_seed(3)
    for size, moves in zip(sizes, whole.split(sizes), strict=True):
        alone = Draws(Augmentation(2, flip=True), size, generator).epoch(torch.arange(size), [size])
        for ours, theirs in zip(alone.tensors, moves.tensors, strict=True):
            assert ours is not None and theirs is not None and torch.equal(ours, theirs)


class _Beginner(Recognizer):
    """Remembers what it is told at the beginning of a training."""

    begun: list[Tensor]

    def begin(self, images: Tensor) -> None:
        self.begun.append(images)


def test_a_recognizer_is_found_in_its_wrapper_and_begins_with_the_training_images() -> None:
    layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    recognizer = _Beginner(
        layers, feature_layers=[], mean=[0.5], std=[0.5], recipe=Recipe(SGD, frozen={"network.1.bias": 0.0})
    )
    recognizer.begun = []
    images = torch.randint(0, 256, (8, 1, 8, 8), dtype=torch.uint8)
    before = layers[1].bias.detach().clone()
    train_classifier(
        ImageOnly(recognizer),
        images,
        None,
        torch.arange(8) % 2,
        training=CLASSIFICATION,
        flip=False,
        seed=0,
        device=CPU,
    )
    assert len(recognizer.begun) == 1 and torch.equal(recognizer.begun[0], images)
    assert torch.equal(layers[1].bias, before)  # frozen from the start, by its name below the recognizer
