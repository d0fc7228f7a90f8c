from __future__ import annotations

import pytest
import torch
from maskbench.errors import UsageError
from maskbench.models import recognizers
from maskbench.models.recognizer import ImageOnly
from maskbench.randomness import seeded
from maskbench.training.classifier import DivergedTraining, predict, train_classifier
from maskbench.training.settings import CLASSIFICATION
from torch import Tensor, nn

CPU = torch.device("cpu")
SHORT = CLASSIFICATION.model_copy(update={"epochs": 4, "batch_size": 16})
CLASSES = 3


def _data(count: int = 96) -> tuple[Tensor, Tensor]:
    """Noise with a bright bar whose height tells the class."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % CLASSES
    images = torch.randint(0, 100, (count, 1, 16, 16), generator=generator, dtype=torch.uint8)
    for label in range(CLASSES):
        images[labels == label, :, 5 * label : 5 * label + 4] += 120
    return images, labels


def _trained(seed: int, device: torch.device = CPU, masks: Tensor | None = None) -> tuple[nn.Module, list[float]]:
    images, labels = _data()
    with seeded(seed):
        network = ImageOnly(recognizers.build("small", channels=1, classes=CLASSES, size=(16, 16)))
    losses = train_classifier(network, images, masks, labels, training=SHORT, flip=True, seed=seed, device=device)
    return network, losses


def _accuracy(network: nn.Module, device: torch.device = CPU) -> float:
    images, labels = _data()
    return (predict(network, images, None, device=device).argmax(1) == labels).float().mean().item()


def test_training_learns_and_reports() -> None:
    network, losses = _trained(0)
    assert len(losses) == SHORT.epochs and losses[-1] < 0.5 * losses[0]
    assert _accuracy(network) > 0.95


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    before = torch.get_rng_state()
    first, again, other = (_trained(seed)[0].state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["recognizer.network.head.weight"], other["recognizer.network.head.weight"])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
@pytest.mark.parametrize("epochs", [1, 2, 3, 10])
def test_the_shortest_trainings_work(schedule: str, epochs: int) -> None:
    images, labels = _data(2)
    network = ImageOnly(recognizers.build("small", channels=1, classes=CLASSES, size=(16, 16)))
    training = SHORT.model_copy(update={"schedule": schedule, "epochs": epochs})
    done: list[float] = []
    train_classifier(
        network,
        images,
        None,
        labels,
        training=training,
        flip=False,
        seed=0,
        device=CPU,
        progress=done.append,
    )
    assert done == [(step + 1) / epochs for step in range(epochs)]


class _Spy(nn.Module):
    """Records what a network is given."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seen: list[tuple[Tensor, Tensor | None]] = []

    def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
        self.seen.append((images.detach().clone(), None if masks is None else masks.clone()))
        return images.flatten(1)[:, :CLASSES] * self.scale


def test_the_network_sees_aligned_floats() -> None:
    images, labels = _data()
    masks = torch.randint(0, 2, images.shape, generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
    spy = _Spy()
    train_classifier(spy, (images | 1) * masks, masks, labels, training=SHORT, flip=True, seed=0, device=CPU)
    for shown, kept in spy.seen:
        assert shown.dtype == kept.dtype == torch.float32 and shown.max() <= 1
        assert torch.equal(shown > 0, kept > 0)


def test_divergence_is_reported() -> None:
    images, labels = _data()

    class Broken(_Spy):
        def forward(self, images: Tensor, masks: Tensor | None) -> Tensor:
            return super().forward(images, masks) * float("inf")

    with pytest.raises(DivergedTraining, match="epoch 1 of 4; lower the learning rate"):
        train_classifier(Broken(), images, None, labels, training=SHORT, flip=True, seed=0, device=CPU)


def test_bad_input_is_refused() -> None:
    images, labels = _data()
    for count, error in ((1, UsageError), (5, ValueError)):
        with pytest.raises(error):
            train_classifier(_Spy(), images[:count], None, labels[:1], training=SHORT, flip=True, seed=0, device=CPU)
    with pytest.raises(ValueError, match="no images"):
        predict(_Spy(), images[:0], None, device=CPU)
    with pytest.raises(ValueError, match="batch_size"):
        predict(_Spy(), images, None, device=CPU, batch_size=0)


def test_prediction_does_not_depend_on_the_batch_or_change_the_network() -> None:
    network, _ = _trained(0)
    images, _ = _data()
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    whole, parts = (predict(network, images, None, device=CPU, batch_size=size) for size in (512, 7))
    torch.testing.assert_close(whole, parts, rtol=1e-4, atol=1e-4)
    assert whole.shape == (len(images), CLASSES) and not whole.is_inference()
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_learns_the_same() -> None:
    device = torch.device("cuda", 0)
    masks = torch.ones(96, 1, 16, 16, dtype=torch.uint8)
    network, losses = _trained(0, device, masks)
    assert losses[-1] < 0.5 * losses[0] and _accuracy(network, device) > 0.95
