"""How measurements are taken here: ours and a naive reference in turn, so that other work on the machine meets both."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from threadpoolctl import threadpool_limits

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
NO_GPU = (pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"))
DEVICES = [pytest.param(CPU, id="cpu"), pytest.param(CUDA, id="cuda", marks=NO_GPU)]

Call = Callable[[], object]


class Pairs(NamedTuple):
    """Seconds of ours and of the reference, pair by pair."""

    ours: list[float]
    reference: list[float]

    @property
    def slowdown(self) -> float:
        """How many times as long ours takes: the median of the pairs."""
        return statistics.median(one / other for one, other in zip(self.ours, self.reference, strict=True))

    @property
    def speedup(self) -> float:
        """How many times as fast ours is: the median of the pairs."""
        return 1 / self.slowdown


def in_turn(
    benchmark: BenchmarkFixture, ours: Call, reference: Call, *, rounds: int = 7, device: torch.device = CPU
) -> Pairs:
    """Time ours and the reference in turn, after one warm-up of each, and hand the ratio to pytest-benchmark.

    On the CPU it is the processor time of this process and of those that it waited for, so that others do not count; on
    a GPU the wall clock's.
    """
    pairs = Pairs([], [])

    def measure_reference() -> None:
        pairs.reference.append(seconds(reference, device))

    def measure_ours() -> None:
        pairs.ours.append(seconds(ours, device))

    benchmark.pedantic(measure_ours, setup=measure_reference, rounds=rounds, warmup_rounds=1)
    pairs = Pairs(pairs.ours[1:], pairs.reference[1:])
    report(benchmark, times_the_references_time=round(pairs.slowdown, 3))
    return pairs


def seconds(call: Call, device: torch.device = CPU) -> float:
    """How long a call takes."""
    clock = _processor_time if device == CPU else time.perf_counter
    _wait(device)
    start = clock()
    call()
    _wait(device)
    return clock() - start


def report(benchmark: BenchmarkFixture, **found: Any) -> None:
    """Keep what was found with the measurement, and print it for ``-s``."""
    benchmark.extra_info.update(found)
    print(f"{benchmark.name}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items()))


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep to one core: where cores are shared, waiting for a second thread is what would be measured."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


def _processor_time() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _wait(device: torch.device) -> None:
    if device != CPU:
        torch.cuda.synchronize(device)
