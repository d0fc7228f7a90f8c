"""The recognizer that learns in few steps: its first layer, and that it does learn faster."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F
from maskbench.models import recognizers
from maskbench.models.airbench import WhitenedRecognizer, whitening
from maskbench.models.recognizer import ImageOnly
from maskbench.randomness import seeded
from maskbench.release import to_float
from maskbench.training.classifier import predict, train_classifier
from maskbench.training.settings import CLASSIFICATION
from PIL import Image
from torch import Tensor

CPU = torch.device("cpu")


def _smooth(count: int, channels: int = 3) -> Tensor:
    coarse = torch.rand(count, channels, 8, 8, generator=torch.Generator().manual_seed(0))
    return (F.interpolate(coarse, size=32, mode="bilinear") * 255).round().byte()


def _network(channels: int = 3) -> WhitenedRecognizer:
    with seeded(0):
        network = recognizers.build("airbench:width=8", channels=channels, classes=4, size=(32, 32))
    assert isinstance(network, WhitenedRecognizer)
    return network


@pytest.mark.parametrize("channels", [1, 3, 25])
def test_whitened_patches_are_uncorrelated(channels: int) -> None:
    images, mean = _smooth(60, channels), torch.full((1, channels, 1, 1), 0.5)
    filters = whitening(images, mean, mean / 2)
    assert filters.shape == (4 * channels, channels, 2, 2)
    answers = F.conv2d((to_float(images) - mean) / (mean / 2), filters).transpose(0, 1).flatten(1).double()
    moments = answers @ answers.T / answers.shape[1]
    off = moments - moments.diag().diag()
    assert float(off.abs().max()) < 1e-3
    assert float(moments.diag().max()) < 1.01 and float(moments[0, 0]) > 0.99


def test_constant_images_whiten_to_finite_filters() -> None:
    images = torch.full((4, 1, 16, 16), 255, dtype=torch.uint8)
    half = torch.full((1, 1, 1, 1), 0.5)
    assert bool(torch.isfinite(whitening(images, half, half)).all())


def test_the_first_layer_comes_from_the_images_once() -> None:
    network = _network()
    network.begin(_smooth(20))
    first = network.network.whiten.weight.clone()
    assert torch.equal(first[:12], -first[12:])
    network.begin(255 - _smooth(40))
    assert torch.equal(network.network.whiten.weight, first)
    copy = _network()
    copy.load_state_dict(network.state_dict())
    copy.begin(_smooth(30))  # it has learned before: from a teacher, say
    assert torch.equal(copy.network.whiten.weight, first)


def test_the_first_layer_is_not_trained_and_its_offsets_stop_early() -> None:
    network = _network()
    images = _smooth(64)
    network.begin(images)
    before = network.network.whiten.weight.clone()
    training = CLASSIFICATION.model_copy(update={"epochs": 2, "batch_size": 16})
    labels = torch.arange(64) % 4
    train_classifier(ImageOnly(network), images, None, labels, training=training, flip=True, seed=0, device=CPU)
    assert torch.equal(network.network.whiten.weight, before)
    assert float(network.network.whiten.bias.detach().abs().max()) > 0


@pytest.mark.slow
def test_it_learns_more_in_as_many_steps_as_the_small_network(shared_data: Path) -> None:
    """On 2,000 photographs in 3 epochs; the page on GPUs has more of it, with seeds and seconds."""
    table = pq.read_table(shared_data / "cifar10-jpeg" / "train.parquet").slice(0, 3000)
    decoded = [np.asarray(Image.open(io.BytesIO(row["bytes"])).convert("RGB")) for row in table["image"].to_pylist()]
    images, labels = torch.tensor(np.stack(decoded)).permute(0, 3, 1, 2), torch.tensor(table["label"].to_pylist())
    training = CLASSIFICATION.model_copy(update={"epochs": 3})
    found = {}
    for name in ("airbench:width=32", "small"):
        with seeded(0):
            network = ImageOnly(recognizers.build(name, channels=3, classes=10, size=(32, 32)))
        train_classifier(network, images[:2000], None, labels[:2000], training=training, flip=True, seed=0, device=CPU)
        answers = predict(network, images[2000:], None, device=CPU).argmax(1)
        found[name] = float((answers == labels[2000:]).float().mean())
    assert found["airbench:width=32"] > found["small"] + 0.02, found
