"""Attributions cost little more than the passes that they need (``pytest tests/perf --benchmark-only``).

The bare passes are one forward and one backward pass for each image and variation, with the class known and nothing
done with the gradient, in the fastest of several batch sizes. What an algorithm does beyond them (finding the class,
measuring its pass size, making variations, adding up, checking) is in its time. Both are timed in turn, and the median
of the pairs' ratios counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import pytest
import torch
from maskbench.attributions.algorithm import find
from maskbench.models.recognizer import Recognizer
from maskbench.models.recognizers import build
from maskbench.randomness import seeded
from pytest_benchmark.fixture import BenchmarkFixture
from threadpoolctl import threadpool_limits
from torch import Tensor

CLASSES = 10
VARIATIONS = {"input-x-gradient": 1, "smoothgrad": 16, "integrated-gradients": 16}
PASSES = 80  # of all images, in the pairs that are timed: five pairs of 16 variations
TRIALS = 3  # of each batch size
ALLOWED = 1.25
BATCHES = (16, 32, 64, 128, 256, 1024)

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
NO_GPU = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
CASES = [
    pytest.param(CPU, "small", 32, 128, id="cpu-small-32px"),
    pytest.param(CPU, "small", 64, 44, id="cpu-small-64px"),
    pytest.param(CUDA, "small", 32, 4096, id="cuda-small-32px", marks=NO_GPU),
    pytest.param(CUDA, "resnet18", 64, 1024, id="cuda-resnet18-64px", marks=NO_GPU),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep to one core: where cores are shared, waiting for a second thread is what would be measured."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


def _network(recognizer: str, side: int, device: torch.device) -> Recognizer:
    with seeded(0):
        network = build(recognizer, channels=3, classes=CLASSES, size=(side, side))
    return network.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)


def _bare(network: Recognizer, images: Tensor, classes: Tensor, batch: int) -> None:
    for some, chosen in zip(images.split(batch), classes.split(batch), strict=True):
        inputs = some.detach().requires_grad_()
        torch.autograd.grad(network(inputs).gather(1, chosen[:, None]).sum(), inputs)


def _seconds(call: Callable[[], object], device: torch.device) -> float:
    """The processor's time on the CPU, so that other processes do not count; the wall clock's on a GPU."""
    if device == CPU:
        start = time.process_time()
        call()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - start


@pytest.mark.parametrize("name", VARIATIONS)
@pytest.mark.parametrize(("device", "recognizer", "side", "count"), CASES)
def test_an_attribution_costs_little_more_than_its_bare_passes(
    benchmark: BenchmarkFixture, device: torch.device, recognizer: str, side: int, count: int, name: str
) -> None:
    network = _network(recognizer, side, device)
    images = torch.rand((count, 3, side, side), generator=torch.Generator().manual_seed(0)).to(device)
    with torch.no_grad():
        classes = network(images[:1]).argmax(dim=1).expand(count)
    algorithm = find(name)

    def once(batch: int) -> float:
        return _seconds(lambda: _bare(network, images, classes, batch), device)

    trials: dict[int, list[float]] = {batch: [] for batch in BATCHES if batch <= count}
    once(BATCHES[0])
    for _ in range(TRIALS):
        for batch, seconds in trials.items():
            seconds.append(once(batch))
    fastest = min(trials, key=lambda batch: statistics.median(trials[batch]))
    bare: list[float] = []
    ours: list[float] = []

    def passes() -> None:
        bare.append(sum(once(fastest) for _ in range(VARIATIONS[name])))

    def explain() -> None:
        ours.append(_seconds(lambda: algorithm.explain(network, images), device))

    benchmark.pedantic(explain, setup=passes, rounds=PASSES // VARIATIONS[name], warmup_rounds=1)
    ratio = statistics.median(one / other for one, other in zip(ours[1:], bare[1:], strict=True))
    benchmark.extra_info.update(ratio_to_bare_passes=ratio, bare_batch=fastest, milliseconds=1000 * min(ours) / count)
    print(f"{name}, {recognizer} at {side} px on {device}: {ratio:.2f} × its bare passes in batches of {fastest}")
    assert ratio < ALLOWED
