"""Metrics keep up with a run: batches against loops over scikit-image, intervals against their one matrix product."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from maskbench.metrics.image import closeness
from maskbench.metrics.intervals import interval
from maskbench.metrics.leakage import advantage
from numpy.typing import NDArray
from pairs import in_turn
from pytest_benchmark.fixture import BenchmarkFixture
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

# Side in pixels, images, and how many times as fast as the loop a batch must be. At 224 px scikit-image's overhead per
# image is small, and what is left is filtering against filtering.
SIZES = [(32, 256, 12.0), (64, 128, 6.0), (224, 16, 3.0)]
RESAMPLES, IMAGES, CELLS = 1000, 512, 20
MOST_PRODUCTS = 3.0
"""Times the one matrix product and the quantiles that an interval cannot do without."""


@pytest.mark.parametrize(("side", "images", "least"), SIZES)
def test_batched_psnr_and_ssim_outrun_a_loop_over_scikit_image(
    benchmark: BenchmarkFixture, side: int, images: int, least: float
) -> None:
    generator = torch.Generator().manual_seed(0)
    raw = torch.rand(images, 3, side, side, generator=generator)
    restored = (raw + 0.1 * torch.randn(raw.shape, generator=generator)).clamp(0, 1)
    masks = (torch.rand(images, 1, side, side, generator=generator) < 0.25).float()

    def loop() -> list[tuple[float, ...]]:
        return [scores(*row) for row in zip(restored.numpy(), raw.numpy(), masks.numpy() == 0, strict=True)]

    ours = torch.stack(closeness(restored, raw, masks), dim=1).numpy()
    assert np.abs(ours - np.asarray(loop())).max() < 1e-4
    assert in_turn(benchmark, lambda: closeness(restored, raw, masks), loop, rounds=5).speedup >= least


def scores(restored: NDArray[np.float32], raw: NDArray[np.float32], hidden: NDArray[np.bool_]) -> tuple[float, ...]:
    """One image by scikit-image: PSNR and SSIM, then both over the hole; the SSIM map is worked out once here too."""
    similarity, full = structural_similarity(
        restored,
        raw,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        full=True,
    )
    hole = hidden[0]
    return (
        peak_signal_noise_ratio(raw, restored, data_range=1.0),
        similarity,
        peak_signal_noise_ratio(raw[:, hole], restored[:, hole], data_range=1.0),
        full[:, hole].mean(),
    )


@pytest.mark.parametrize(("seeds", "columns"), [(1, 1), (3, 2)])
def test_an_interval_costs_little_more_than_one_matrix_product(
    benchmark: BenchmarkFixture, seeds: int, columns: int
) -> None:
    generator = np.random.default_rng(0)
    cells = (generator.random((CELLS, seeds, IMAGES, columns)) < 0.5).astype(np.float64)
    # What every cell shares, here as there: how often each image is drawn in each resample.
    weights = generator.multinomial(IMAGES, np.full(IMAGES, 1 / IMAGES), size=RESAMPLES) / IMAGES

    def statistic(means: NDArray[np.float64]) -> NDArray[np.float64]:
        return means[..., 0] if columns == 1 else advantage(means[..., 0], means[..., 1])

    def ours() -> None:
        for cell in cells:
            interval(cell, statistic, resamples=RESAMPLES)

    def products() -> None:
        for cell in cells:
            flat = cell.transpose(1, 0, 2).reshape(IMAGES, seeds * columns)
            np.quantile((weights @ flat).mean(axis=1), (0.025, 0.975))

    assert in_turn(benchmark, ours, products).slowdown <= MOST_PRODUCTS
