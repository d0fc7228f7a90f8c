"""The bootstrap against scipy's, its coverage by simulation, its pairing, and its edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench.metrics import intervals
from maskbench.metrics.classification import balanced_columns, balanced_statistic
from maskbench.metrics.intervals import Interval, _counts, difference, interval, mean, proportion
from maskbench.metrics.leakage import advantage
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap, norm


def advantage_statistic(means: NDArray[np.float64]) -> NDArray[np.float64]:
    return advantage(means[..., 0], means[..., 1])


def proportions(shape: tuple[int, ...], share: float, seed: int = 0) -> NDArray[np.float64]:
    return (np.random.default_rng(seed).random(shape) < share).astype(np.float64)


def test_bounds_equal_scipy_bootstrap_up_to_its_noise() -> None:
    data = np.random.default_rng(0).gamma(2.0, size=200)
    ours = interval(data[None, :, None], resamples=4000)
    theirs = bootstrap((data,), np.mean, n_resamples=4000, method="percentile", random_state=0)
    error = data.std() / math.sqrt(len(data))
    assert ours.value == pytest.approx(data.mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.15 * error)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.15 * error)


def coverage(draw, truth: float, statistic, trials: int = 300) -> float:
    generator = np.random.default_rng(0)
    found = [interval(draw(generator), statistic, resamples=400, seed=trial) for trial in range(trials)]
    return float(np.mean([one.low <= truth <= one.high for one in found]))


def test_nominal_95_percent_covers_between_90_and_98() -> None:
    def skewed(generator: np.random.Generator) -> NDArray[np.float64]:
        return generator.gamma(2.0, size=(1, 150, 1))

    def crossed(generator: np.random.Generator) -> NDArray[np.float64]:
        image, seed = generator.normal(size=(1, 150, 1)), 0.02 * generator.normal(size=(3, 1, 1))
        return image + seed + 0.3 * generator.normal(size=(3, 150, 1))

    def ratio(generator: np.random.Generator) -> NDArray[np.float64]:
        hard = generator.random((1, 200, 1))
        return np.concatenate([hard < 0.7, hard < 0.4], axis=2).astype(np.float64)

    def seeds_matter(generator: np.random.Generator) -> NDArray[np.float64]:
        seed = 0.3 * generator.normal(size=(12, 1, 1))
        return seed + generator.normal(size=(1, 60, 1)) + generator.normal(size=(12, 60, 1))

    cases = {
        "skewed mean": (skewed, 2.0, mean),
        "images crossed with 3 seeds": (crossed, 0.0, mean),
        "advantage": (ratio, 0.5, advantage_statistic),
        "12 seeds that differ": (seeds_matter, 0.0, mean),
    }
    measured = {name: coverage(*case) for name, case in cases.items()}
    assert all(0.90 <= share <= 0.98 for share in measured.values()), measured


def test_seeds_that_differ_widen_the_interval() -> None:
    one = np.random.default_rng(0).normal(size=(1, 400, 1))
    apart = np.concatenate([one - 1, one, one + 1])
    together = np.concatenate([one, one, one])
    assert interval(apart).high - interval(apart).low > 5 * (interval(together).high - interval(together).low)


def test_many_columns_give_the_statistic_of_their_means() -> None:
    labels = torch.arange(90) % 3
    outcomes = torch.from_numpy(proportions((90,), 0.8))
    columns = balanced_columns(outcomes, labels, 3)[None]
    result = interval(columns, balanced_statistic)
    recalls = [outcomes[labels == c].mean().item() for c in range(3)]
    assert result.value == pytest.approx(np.mean(recalls))
    assert result.low < result.value < result.high
    assert (result.n, result.seeds) == (90, 1)


def test_same_images_are_resampled_alike() -> None:
    easy = np.random.default_rng(0).normal(size=(3, 300, 1))
    a, b = interval(easy), interval(easy + 1)
    assert (b.low, b.high) == (pytest.approx(a.low + 1), pytest.approx(a.high + 1))
    assert difference(easy + 1, easy) == Interval(pytest.approx(1), pytest.approx(1), pytest.approx(1), 300, 3)


def test_a_paired_difference_is_narrower_than_an_unpaired_one() -> None:
    generator = np.random.default_rng(0)
    image = generator.normal(size=(2, 300, 1))
    better = image + 0.1 + 0.05 * generator.normal(size=image.shape)
    paired = difference(better, image)
    unpaired = difference(better, generator.permuted(image, axis=1))
    assert paired.low > 0
    assert unpaired.high - unpaired.low > 5 * (paired.high - paired.low)


def test_difference_takes_two_statistics() -> None:
    pair, single = proportions((2, 100, 2), 0.6), proportions((2, 100, 1), 0.5, seed=1)
    result = difference(pair, single, advantage_statistic, mean)
    assert result.value == pytest.approx(advantage_statistic(pair.mean((0, 1))) - single.mean())


def test_a_repeated_seed_is_bit_equal_and_another_is_not() -> None:
    columns = np.random.default_rng(0).normal(size=(3, 100, 1))
    first = interval(columns)
    _counts.cache_clear()  # as in another process
    assert interval(columns) == first
    assert interval(columns, seed=1) != first


def test_the_bounds_do_not_depend_on_how_weights_are_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = np.random.default_rng(0).normal(size=(3, 100, 2))
    whole = interval(columns, lambda means: means.max(-1))
    monkeypatch.setattr("maskbench.metrics.intervals._BLOCK", 700)
    parts = interval(columns, lambda means: means.max(-1))
    assert (parts.low, parts.high) == (pytest.approx(whole.low), pytest.approx(whole.high))


@pytest.mark.parametrize("outcome", [0.0, 1.0])
@pytest.mark.parametrize("n", [1, 20, 500])
def test_a_proportion_at_the_boundary_is_not_certain(outcome: float, n: int) -> None:
    result = interval(np.full((3, n, 1), outcome), proportion)
    exact = binomtest(round(n * outcome), n).proportion_ci(0.95, "exact")
    assert (result.value, result.low, result.high) == (outcome, exact.low, exact.high)
    assert result.low < result.high


def test_other_constants_are_degenerate() -> None:
    for constant in (0.25, 1.0):
        # An SSIM of 1 for every image is no share of successes: only proportions get the exact interval.
        result = interval(np.full((2, 50, 1), constant))
        assert (result.value, result.low, result.high) == (constant, constant, constant)


def test_an_image_with_a_nan_anywhere_is_left_out_everywhere() -> None:
    columns = np.random.default_rng(0).normal(size=(3, 80, 2))
    holed = columns.copy()
    holed[1, 5, 0] = holed[2, 70, 1] = math.nan
    kept = np.delete(columns, [5, 70], axis=1)
    statistic = lambda means: means.sum(-1)  # noqa: E731
    assert interval(holed, statistic) == interval(kept, statistic)
    assert interval(holed, statistic).n == 78
    assert difference(holed[..., :1], columns[..., :1]).n == 79


def test_nothing_to_score_is_nan() -> None:
    empty = interval(np.full((2, 3, 1), math.nan))
    assert (empty.n, empty.seeds) == (0, 2)
    assert all(math.isnan(number) for number in (empty.value, empty.low, empty.high))
    single = interval(np.full((2, 1, 1), 30.0))
    assert single.value == 30.0
    assert math.isnan(single.low)
    assert math.isnan(single.high)


def test_an_undefined_statistic_is_nan_and_undefined_resamples_are_left_out() -> None:
    always = interval(np.ones((1, 30, 2)), advantage_statistic)
    assert all(math.isnan(number) for number in (always.value, always.low, always.high))
    prior = np.ones((1, 8, 1))
    prior[0, 0] = 0  # a third of the resamples miss this image, and leave nothing to learn
    some = interval(np.concatenate([np.ones((1, 8, 1)), prior], axis=2), advantage_statistic)
    assert (some.value, some.low, some.high) == (1.0, 1.0, 1.0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**16), n=st.integers(2, 60), seeds=st.integers(1, 4), shift=st.floats(-5, 5))
def test_an_interval_stays_within_the_data_and_moves_with_it(seed: int, n: int, seeds: int, shift: float) -> None:
    columns = np.random.default_rng(seed).normal(size=(seeds, n, 1))
    result, moved = interval(columns, resamples=100), interval(columns + shift, resamples=100)
    assert columns.min() - 1e-9 <= result.low <= result.high <= columns.max() + 1e-9
    assert moved.low == pytest.approx(result.low + shift, abs=1e-9)
    assert interval(columns, resamples=100, confidence=0.5).low >= result.low


def test_width_shrinks_as_the_standard_error() -> None:
    columns = np.random.default_rng(0).normal(size=(1, 2000, 1))
    result = interval(columns)
    expected = 2 * norm.ppf(0.975) * columns.std() / math.sqrt(2000)
    assert result.high - result.low == pytest.approx(expected, rel=0.1)


GOOD = np.zeros((2, 5, 1))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: interval(np.zeros((5, 1))), "columns"),
        (lambda: interval(np.zeros((0, 5, 1))), "columns"),
        (lambda: interval(np.full((1, 5, 1), math.inf)), "columns"),
        (lambda: interval(np.zeros((1, 5, 2))), "means"),
        (lambda: interval(GOOD, confidence=1.0), "confidence"),
        (lambda: interval(GOOD, resamples=0), "resamples"),
        (lambda: interval(GOOD, lambda means: means), "statistic"),
        (lambda: difference(GOOD, np.zeros((2, 6, 1))), "columns_b"),
        (lambda: difference(GOOD, np.zeros((3, 5, 1))), "columns_b"),
        (lambda: difference(GOOD[0], GOOD), "columns_a"),
    ],
)
def test_bad_input_is_refused_by_name(call, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        call()


@pytest.mark.parametrize("n", [1, 3, 100, 513])
@pytest.mark.parametrize("drawn", [1, 1000, 2**16])
def test_images_are_drawn_in_blocks_as_they_would_be_one_resample_at_a_time(
    n: int, drawn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "_DRAWN", drawn)
    generator = np.random.default_rng([5, 0, n])
    expected = [np.bincount(generator.integers(n, size=n), minlength=n) for _ in range(200)]
    counts = _counts.__wrapped__(n, 200, 5, 0)
    assert np.array_equal(counts, expected)
    assert (counts.sum(1) == n).all()


def test_the_draws_of_many_cells_are_made_once_and_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    bincount = np.bincount
    monkeypatch.setattr(np, "bincount", lambda *given, **named: steps.append(0) or bincount(*given, **named))
    _counts.cache_clear()
    for cell in range(20):
        interval(np.random.default_rng(cell).random((1, 64, 1)))
    assert len(steps) == 1  # of 1,000 resamples of 64 images, whatever the number of cells
    interval(np.random.default_rng(0).random((1, 640, 1)))
    assert len(steps) <= 1 + 11  # ten times the images: at most as many times the steps, and one
