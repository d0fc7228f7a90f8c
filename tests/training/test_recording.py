"""Steps that are recorded once and replayed: the same bits, through a recorder of the CPU that stands in for CUDA's."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from maskbench.models import recognizers
from maskbench.models.recognizer import ImageOnly
from maskbench.randomness import seeded
from maskbench.training import loop
from maskbench.training.classifier import train_classifier
from maskbench.training.recording import WARM_UP, WORTHWHILE, Graphs, Replayed, unrecorded
from maskbench.training.settings import CLASSIFICATION
from torch import Tensor

CPU = torch.device("cpu")
COUNT, BATCH = 68, 8  # five batches of 8 and four of 7


class _Stub:
    """Records by remembering: a replay does the work again, into the same tensors."""

    def __init__(self) -> None:
        self.replays = 0
        self.parameters: list[torch.nn.Parameter] = []

    def __call__(self, function: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        # A graph computes nothing while it is recorded; running statistics must not move.
        parameters = self.parameters
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
        gradients = [parameter.grad for parameter in parameters]
        result = torch.zeros(())

        def replay() -> None:
            self.replays += 1
            result.copy_(function())
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None and parameter.grad is not None:
                    gradient.copy_(parameter.grad)
                    parameter.grad = gradient

        return replay, result


def _trained(name: str = "small", device: torch.device = CPU, epochs: int = 6) -> tuple[ImageOnly, list[float]]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (COUNT, 1, 16, 16), generator=generator, dtype=torch.uint8)
    masks = torch.randint(0, 2, (COUNT, 1, 16, 16), generator=generator, dtype=torch.uint8)
    with seeded(0):
        network = ImageOnly(recognizers.build(name, channels=1, classes=3, size=(16, 16)))
    training = CLASSIFICATION.model_copy(update={"epochs": epochs, "batch_size": BATCH})
    losses = train_classifier(
        network, images, masks, torch.arange(COUNT) % 3, training=training, flip=True, seed=0, device=device
    )
    return network, losses


@pytest.mark.parametrize("name", ["small", "airbench:width=8"])
def test_replayed_steps_give_the_same_bits(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    plain, expected = _trained(name)
    stub = _Stub()

    def replayed(
        backward: object, parameters: list[torch.nn.Parameter], steps: Counter[int], capture: object
    ) -> Replayed:
        stub.parameters = parameters
        return Replayed(backward, parameters, steps, stub)

    monkeypatch.setattr(loop, "recording_allowed", lambda device: True)
    monkeypatch.setattr(loop, "Graphs", lambda: stub)
    monkeypatch.setattr(loop, "Replayed", replayed)
    network, losses = _trained(name)
    assert losses == expected
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in plain.state_dict().items())
    batches = 9 * 6
    assert stub.replays == batches - 2 * WARM_UP  # one recording for each of the two sizes


def _replayed(capture: Callable[..., object], steps: int = 100) -> tuple[Replayed, list[int]]:
    taken: list[int] = []
    weight = torch.nn.Parameter(torch.ones(()))

    def backward(inputs: tuple[Tensor | None, ...]) -> Tensor:
        taken.append(1)
        return weight.detach()

    return Replayed(backward, [weight], {2: steps}, capture), taken


def test_what_cannot_be_recorded_goes_on_as_it_is_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []

    def capture(function: Callable[[], Tensor]) -> object:
        tried.append(1)
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    replayed, taken = _replayed(capture)
    with caplog.at_level(logging.WARNING):
        for _ in range(20):
            replayed((torch.zeros(2), None))
    assert len(taken) == 20 and len(tried) == 1
    assert replayed.refusal == "operation not permitted when stream is capturing"
    assert "not recorded as a CUDA graph: operation not permitted" in caplog.text


def test_a_few_steps_are_not_worth_a_recording() -> None:
    def capture(function: Callable[[], Tensor]) -> object:
        raise AssertionError("nothing is to be recorded")

    steps = WARM_UP + WORTHWHILE - 1
    replayed, taken = _replayed(capture, steps)
    for _ in range(steps):
        replayed((torch.zeros(2),))
    assert len(taken) == steps and not replayed.refusal


def test_an_error_of_the_loss_is_no_refusal() -> None:
    def capture(function: Callable[[], Tensor]) -> object:
        raise ValueError("wrong shape")

    replayed, _ = _replayed(capture)
    with pytest.raises(ValueError, match="wrong shape"):
        for _ in range(WARM_UP + 1):
            replayed((torch.zeros(2),))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["small", "resnet18", "airbench:width=8"])
def test_cuda_graphs_train_as_single_kernels_do(caplog: pytest.LogCaptureFixture, name: str) -> None:
    device = torch.device("cuda", torch.cuda.current_device())
    with caplog.at_level(logging.WARNING):
        _, recorded = _trained(name, device)
    assert caplog.text == ""  # nothing was refused
    with unrecorded():
        _, plain = _trained(name, device)
    assert recorded == pytest.approx(plain, rel=0.02)  # atomic additions come in any order


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_refuses_to_record_what_waits_for_the_device() -> None:
    replayed, weight = None, torch.nn.Parameter(torch.ones(4, device="cuda"))

    def backward(inputs: tuple[Tensor | None, ...]) -> Tensor:
        weight.grad = None
        loss = (weight * float(weight.detach().sum())).sum()
        loss.backward()
        return loss.detach()

    with torch.cuda.stream(torch.cuda.Stream()):
        replayed = Replayed(backward, [weight], {2: 100}, Graphs())
        for _ in range(10):
            loss = replayed((torch.zeros(2, device="cuda"),))
    assert replayed.refusal and float(loss) == 16
