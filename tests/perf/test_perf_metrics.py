"""Metrics keep up with a run: ratios within one run for SSIM, a loose ceiling for the bootstrap."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from threadpoolctl import threadpool_limits

from bench.metrics.image import ssim
from bench.metrics.intervals import interval
from bench.metrics.leakage import advantage


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep to one core: where cores are shared, waiting for a second thread is what would be measured."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


def fastest(call: Callable[[], object], repeats: int) -> float:
    """Return the best of several times in seconds, the one least disturbed by other work on the machine."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def test_batched_ssim_outruns_a_loop_over_scikit_image() -> None:
    generator = torch.Generator().manual_seed(0)
    raw = torch.rand(256, 3, 32, 32, generator=generator)
    restored = (raw + 0.1 * torch.randn(raw.shape, generator=generator)).clamp(0, 1)

    def loop() -> None:
        for x, y in zip(restored.numpy(), raw.numpy(), strict=True):
            structural_similarity(
                x,
                y,
                channel_axis=0,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                data_range=1.0,
            )

    ratio = fastest(loop, 3) / fastest(lambda: ssim(restored, raw), 15)
    print(f"batched SSIM, 256 images of 32 px: {ratio:.1f} times as fast as the loop")
    assert ratio > 3  # 6 to 7 seen on one core; less would mean that batching is lost


def test_intervals_of_a_whole_matrix_take_a_moment() -> None:
    generator = np.random.default_rng(0)
    plain = generator.normal(size=(300, 3, 500, 1))
    pairs = (generator.random((60, 3, 500, 2)) < 0.5).astype(np.float64)

    def matrix() -> None:
        for columns in plain:
            interval(columns)
        for columns in pairs:
            interval(columns, lambda means: advantage(means[..., 0], means[..., 1]))

    seconds = fastest(matrix, 3)
    print(f"360 intervals of 500 images and 3 seeds: {seconds:.2f} s")
    assert seconds < 1.5  # about 0.25 seen on one busy core
