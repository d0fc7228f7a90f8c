"""How fast training and inference are, in images/s (``pytest tests/perf --benchmark-only``)."""

from __future__ import annotations

import pytest
import torch
from maskbench.models import recognizers
from maskbench.models.recognizer import ImageOnly
from maskbench.models.unet import UNet
from maskbench.training.classifier import predict, train_classifier
from maskbench.training.restorer import train_restorer
from maskbench.training.settings import CLASSIFICATION, RESTORATION
from pytest_benchmark.fixture import BenchmarkFixture

IMAGES = 1_920
PAIRS = 400
CLASSES = 10
DEVICES = [
    torch.device("cpu"),
    pytest.param(
        torch.device("cuda"),
        marks=[
            pytest.mark.cuda,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
        ],
    ),
]


def _images(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8)


def _report(benchmark: BenchmarkFixture, images: int) -> None:
    if benchmark.stats is not None:
        benchmark.extra_info["images_per_second"] = images / benchmark.stats.stats.min


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_training_small(benchmark: BenchmarkFixture, device: torch.device) -> None:
    network = ImageOnly(recognizers.build("small", channels=3, classes=CLASSES, size=(32, 32)))
    images, labels = _images(IMAGES), torch.randint(0, CLASSES, (IMAGES,))
    training = CLASSIFICATION.model_copy(update={"epochs": 1})

    def run() -> None:
        train_classifier(network, images, None, labels, training=training, flip=True, seed=0, device=device)

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    _report(benchmark, IMAGES)


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_prediction_small(benchmark: BenchmarkFixture, device: torch.device) -> None:
    network = ImageOnly(recognizers.build("small", channels=3, classes=CLASSES, size=(32, 32)))
    images = _images(IMAGES)
    benchmark.pedantic(lambda: predict(network, images, None, device=device), rounds=5, warmup_rounds=1)
    _report(benchmark, IMAGES)


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_training_unet(benchmark: BenchmarkFixture, device: torch.device) -> None:
    network = UNet(channels_in=4, channels_out=3)
    raw = _images(PAIRS)
    masks = torch.randint(0, 2, (PAIRS, 1, 32, 32), dtype=torch.uint8)
    training = RESTORATION.model_copy(update={"epochs": 1})

    def run() -> None:
        train_restorer(network, raw * masks, masks, raw, training=training, flip=True, seed=0, device=device)

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    _report(benchmark, PAIRS)
