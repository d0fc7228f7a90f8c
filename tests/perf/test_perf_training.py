"""Training and asking networks costs no more than loops written by hand for the same work.

The loops are what an author would write who knows the settings: the same batches, augmentation, optimizer and schedule,
nothing checked, nothing reported, no stage around them.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from maskbench.models import recognizers
from maskbench.models.recognizer import ImageOnly
from maskbench.models.unet import UNet
from maskbench.training.augment import shift_and_flip
from maskbench.training.classifier import predict, train_classifier
from maskbench.training.restorer import ERROR_WEIGHT, KEPT_WEIGHT, restore, train_restorer
from maskbench.training.settings import CLASSIFICATION, RESTORATION, Training
from maskbench.training.similarity import similarity_map
from pairs import DEVICES, in_turn, report
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

LEAST = 0.9
"""Times the speed of the loop written by hand."""
CLASSES = 10


def _images(count: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def _masks(count: int) -> Tensor:
    return (torch.rand(count, 1, 32, 32, generator=torch.Generator().manual_seed(1)) < 0.25).to(torch.uint8)


def _small() -> nn.Module:
    return ImageOnly(recognizers.build("small", channels=3, classes=CLASSES, size=(32, 32)))


def _shown(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last).float() / 255


def _loop(
    network: nn.Module,
    count: int,
    training: Training,
    device: torch.device,
    loss_of: Callable[[Tensor, torch.Generator], Tensor],
) -> None:
    """One epoch; ``loss_of`` is given the numbers of a batch's images."""
    network.train()
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=training.learning_rate, fused=True)
    steps = -(-count // training.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, training.learning_rate, total_steps=steps + 1)
    for chosen in torch.randperm(count, generator=generator).to(device).split(training.batch_size):
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = loss_of(chosen, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize("device", DEVICES)
def test_training_a_recognizer(benchmark: BenchmarkFixture, device: torch.device) -> None:
    count = 640 if device.type == "cpu" else 50_000
    images, labels = _images(count), torch.randint(0, CLASSES, (count,))
    training = CLASSIFICATION.model_copy(update={"epochs": 1})
    ours, theirs = _small(), _small().to(device, memory_format=torch.channels_last)
    there, their_labels = images.to(device), labels.to(device)

    def loss_of(chosen: Tensor, generator: torch.Generator) -> Tensor:
        seen, _ = shift_and_flip(there[chosen], None, padding=training.crop, flip=True, generator=generator)
        return F.cross_entropy(theirs(_shown(seen), None), their_labels[chosen])

    pairs = in_turn(
        benchmark,
        lambda: train_classifier(ours, images, None, labels, training=training, flip=True, seed=0, device=device),
        lambda: _loop(theirs, count, training, device, loss_of),
        device=device,
    )
    report(benchmark, images_per_second=round(count / min(pairs.ours)))
    assert pairs.speedup >= LEAST


@pytest.mark.parametrize("device", DEVICES)
def test_training_a_restorer(benchmark: BenchmarkFixture, device: torch.device) -> None:
    count = 160 if device.type == "cpu" else 10_000
    raw, masks = _images(count), _masks(count)
    training = RESTORATION.model_copy(update={"epochs": 1})
    ours = UNet(channels_in=4, channels_out=3)
    theirs = UNet(channels_in=4, channels_out=3).to(device, memory_format=torch.channels_last)
    released = raw * masks
    there = [tensor.to(device) for tensor in (released, raw, masks)]

    def loss_of(chosen: Tensor, generator: torch.Generator) -> Tensor:
        some, wanted, kept = (tensor[chosen] for tensor in there)
        moved, kept = shift_and_flip(torch.cat([some, wanted], 1), kept, padding=0, flip=True, generator=generator)
        some, wanted = moved.split(3, dim=1)
        kept = kept.float()
        weights, hidden = 1 - (1 - KEPT_WEIGHT) * kept, 1 - kept
        restored, truth = theirs(_shown(some), kept).float(), _shown(wanted)
        error = ((restored - truth).abs() * weights).sum() / (3 * weights.sum())
        unlike = ((1 - similarity_map(torch.where(kept == 1, truth, restored), truth)) * hidden).sum() / hidden.sum()
        return ERROR_WEIGHT * error + unlike

    pairs = in_turn(
        benchmark,
        lambda: train_restorer(ours, released, masks, raw, training=training, flip=True, seed=0, device=device),
        lambda: _loop(theirs, count, training, device, loss_of),
        device=device,
    )
    report(benchmark, pairs_per_second=round(count / min(pairs.ours)))
    assert pairs.speedup >= LEAST


@pytest.mark.parametrize("device", DEVICES)
def test_asking_a_recognizer(benchmark: BenchmarkFixture, device: torch.device) -> None:
    count = 1024 if device.type == "cpu" else 50_000
    ours, theirs = _small(), _small().to(device, memory_format=torch.channels_last).eval()
    images = _images(count)

    def loop() -> None:
        with torch.inference_mode():
            torch.cat([theirs(_shown(some.to(device)), None) for some in images.split(512)]).cpu()

    pairs = in_turn(benchmark, lambda: predict(ours, images, None, device=device), loop, device=device)
    report(benchmark, images_per_second=round(count / min(pairs.ours)))
    assert pairs.speedup >= LEAST


@pytest.mark.parametrize("device", DEVICES)
def test_restoring(benchmark: BenchmarkFixture, device: torch.device) -> None:
    count = 256 if device.type == "cpu" else 10_000
    ours = UNet(channels_in=4, channels_out=3)
    theirs = UNet(channels_in=4, channels_out=3).to(device, memory_format=torch.channels_last).eval()
    images, masks = _images(count), _masks(count)

    def loop() -> None:
        with torch.inference_mode():
            both = zip(images.split(512), masks.split(512), strict=True)
            torch.cat([theirs(_shown(some.to(device)), kept.to(device).float()) for some, kept in both]).cpu()

    pairs = in_turn(benchmark, lambda: restore(ours, images, masks, device=device), loop, device=device)
    report(benchmark, images_per_second=round(count / min(pairs.ours)))
    assert pairs.speedup >= LEAST
