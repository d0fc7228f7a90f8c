"""Attributions cost little more than the passes that they need.

A bare pass is one forward and one backward pass of each image, with the class known and nothing done with the gradient,
in the fastest of several batch sizes. What an algorithm does beyond its passes (finding the class, measuring its pass
size, making variations, adding up, checking) is in its time.
"""

from __future__ import annotations

import statistics

import pytest
import torch
from maskbench.attributions.algorithm import find
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.randomness import seeded
from pairs import CPU, CUDA, NO_GPU, in_turn, report, seconds
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

CLASSES = 10
MOST = {"grad-cam": 0.7, "input-x-gradient": 1.5, "smoothgrad": 18.5, "integrated-gradients": 18.5}
"""Algorithm → bare passes that it may take. Grad-CAM goes back to the last stage alone; the last two have 16 variations
of each image, and one pass forward that finds its class."""
AT_ONCE = {"grad-cam": 4, "input-x-gradient": 4, "smoothgrad": 16, "integrated-gradients": 16}
"""Algorithm → bare passes that one measurement takes, so that both sides of a pair are alike in length."""
TRIALS = 3  # of each batch size
BATCHES = (16, 32, 64, 128, 256, 1024)
CASES = [
    pytest.param(CPU, "small", 32, 128, id="cpu-small-32px"),
    pytest.param(CPU, "small", 64, 44, id="cpu-small-64px"),
    pytest.param(CUDA, "small", 32, 4096, id="cuda-small-32px", marks=NO_GPU),
    pytest.param(CUDA, "resnet18", 64, 1024, id="cuda-resnet18-64px", marks=NO_GPU),
]


def _network(recognizer: str, side: int, device: torch.device) -> Recognizer:
    with seeded(0):
        network = build(recognizer, channels=3, classes=CLASSES, size=(side, side))
    return network.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)


def _bare(network: Recognizer, images: Tensor, classes: Tensor, batch: int) -> None:
    for some, chosen in zip(images.split(batch), classes.split(batch), strict=True):
        inputs = some.detach().requires_grad_()
        torch.autograd.grad(network(inputs).gather(1, chosen[:, None]).sum(), inputs)


@pytest.mark.parametrize("name", MOST)
@pytest.mark.parametrize(("device", "recognizer", "side", "count"), CASES)
def test_an_attribution_costs_little_more_than_its_bare_passes(
    benchmark: BenchmarkFixture, device: torch.device, recognizer: str, side: int, count: int, name: str
) -> None:
    network = _network(recognizer, side, device)
    images = torch.rand((count, 3, side, side), generator=torch.Generator().manual_seed(0)).to(device)
    with torch.no_grad():
        classes = network(images[:1]).argmax(dim=1).expand(count)
    algorithm = find(name)
    bare_passes = AT_ONCE[name]
    explained = max(1, round(bare_passes / MOST[name]))  # so often, for a measurement of the same length

    def once(batch: int) -> float:
        return seconds(lambda: _bare(network, images, classes, batch), device)

    trials: dict[int, list[float]] = {batch: [] for batch in BATCHES if batch <= count}
    once(BATCHES[0])
    for _ in range(TRIALS):
        for batch, times in trials.items():
            times.append(once(batch))
    fastest = min(trials, key=lambda batch: statistics.median(trials[batch]))

    def passes() -> None:
        for _ in range(bare_passes):
            _bare(network, images, classes, fastest)

    def explain() -> None:
        for _ in range(explained):
            algorithm.explain(network, images)

    pairs = in_turn(benchmark, explain, passes, rounds=5, device=device)
    in_passes = pairs.slowdown * bare_passes / explained
    report(benchmark, bare_passes=round(in_passes, 2), bare_batch=fastest)
    assert in_passes <= MOST[name]
