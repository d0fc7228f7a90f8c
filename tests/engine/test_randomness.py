"""Random numbers depend on the seed and the image alone, and look random."""

from __future__ import annotations

import pytest
import torch
from maskbench import Randomness
from scipy import stats

DRAWS = ["uniform", "normal", "laplace"]


@pytest.mark.parametrize("draw", DRAWS)
def test_batches_and_order_do_not_matter(draw: str) -> None:
    numbers = torch.tensor([5, 900, 7, 0, 12345678])
    whole = getattr(Randomness(3, numbers), draw)(4, 4)
    parts = torch.cat([getattr(Randomness(3, part), draw)(4, 4) for part in numbers.split([1, 3, 1])])
    reversed_ = getattr(Randomness(3, numbers.flip(0)), draw)(4, 4).flip(0)
    assert torch.equal(whole, parts)
    assert torch.equal(whole, reversed_)


def test_seeds_images_and_calls_differ() -> None:
    rng = Randomness(0, torch.arange(50))
    first, second = rng.uniform(64), rng.uniform(64)
    other = Randomness(1, torch.arange(50)).uniform(64)
    rows = torch.cat([first, second, other])
    assert len(torch.unique(rows, dim=0)) == 150
    correlation = torch.corrcoef(rows)
    correlation.fill_diagonal_(0)
    # 64 numbers: the standard deviation of a chance correlation is 1/8; among 11,175 pairs 0.6 is 5 of them.
    assert float(correlation.abs().max()) < 0.6


@pytest.mark.parametrize(
    ("draw", "distribution"), [("uniform", stats.uniform), ("normal", stats.norm), ("laplace", stats.laplace)]
)
def test_distributions(draw: str, distribution: stats.rv_continuous) -> None:
    values = getattr(Randomness(1, torch.arange(100)), draw)(500).flatten().double().numpy()
    assert stats.kstest(values, distribution.cdf).pvalue > 0.001


def test_integers_cover_their_range_evenly() -> None:
    values = Randomness(2, torch.arange(100)).integers(7, 500).flatten()
    counts = torch.bincount(values, minlength=7)
    assert len(counts) == 7
    assert stats.chisquare(counts.numpy()).pvalue > 0.001


def test_permutations_are_permutations() -> None:
    orders = Randomness(0, torch.arange(30)).permutation(40)
    assert torch.equal(orders.sort(dim=1).values, torch.arange(40).expand(30, -1))
    assert len(torch.unique(orders, dim=0)) == 30


@pytest.mark.cuda
@pytest.mark.parametrize("draw", ["uniform", "permutation"])
def test_the_device_does_not_matter(draw: str) -> None:
    numbers = torch.arange(64)
    here = getattr(Randomness(3, numbers), draw)(100)
    there = getattr(Randomness(3, numbers.cuda()), draw)(100)
    assert torch.equal(here, there.cpu())
