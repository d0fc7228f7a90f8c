"""The Gaussian model of pictures against the same by dense linear algebra."""

from __future__ import annotations

import pytest
import torch
from maskbench import Release
from maskbench.attacks._factors import Factors

SHAPE = (3, 4, 4)
VALUES = 48


def pictures(count: int = 400, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(VALUES, VALUES, generator=generator) * torch.linspace(0.1, 0.002, VALUES)
    return (0.5 + torch.randn(count, VALUES, generator=generator) @ mixing.T).view(-1, *SHAPE)


def masks(count: int, seed: int = 1) -> torch.Tensor:
    return (torch.rand(count, 1, *SHAPE[1:], generator=torch.Generator().manual_seed(seed)) < 0.4).float()


def covariance(factors: Factors) -> torch.Tensor:
    return (factors.loadings @ factors.loadings.T + factors.noise.diag()).double()


@pytest.mark.parametrize("count", [4, 30, 200])
def test_a_model_has_the_variance_of_its_pictures(count: int) -> None:
    shown = pictures()
    found = covariance(Factors.fitted(shown, count))
    torch.testing.assert_close(found.trace(), shown.flatten(1).var(0, correction=0).sum().double(), rtol=0.01, atol=0)


def test_with_all_factors_it_is_the_shrunk_covariance() -> None:
    shown = pictures(2000).flatten(1).double()
    sample = shown.T.cov(correction=0)
    found = covariance(Factors.fitted(shown.float().view(-1, *SHAPE), VALUES))
    assert (found - sample).norm() < 0.05 * sample.norm()


@pytest.mark.parametrize("masked", [True, False])
def test_coordinates_are_the_mean_given_what_is_kept(masked: bool) -> None:
    factors, shown = Factors.fitted(pictures(), 10), pictures(7, seed=3)
    kept = masks(7) if masked else None
    found = factors.coordinates(Release(shown if kept is None else shown * kept, kept))
    for place in range(7):
        seen = torch.ones(VALUES).bool() if kept is None else kept[place].expand(SHAPE).flatten() == 1
        loadings, offset = factors.loadings[seen].double(), (shown[place].flatten() - factors.mean)[seen].double()
        expected = loadings.T @ torch.linalg.solve(covariance(factors)[seen][:, seen], offset)
        torch.testing.assert_close(found[place].double(), expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("masked", [True, False])
def test_likelihoods_are_those_of_a_normal_distribution(masked: bool) -> None:
    factors, shown = Factors.fitted(pictures(), 10), pictures(7, seed=3)
    means = factors.mean + 0.05 * torch.randn(3, VALUES, generator=torch.Generator().manual_seed(4))
    kept = masks(7) if masked else None
    found = factors.log_likelihoods(Release(shown, kept), means).double()
    for place in range(7):
        seen = torch.ones(VALUES).bool() if kept is None else kept[place].expand(SHAPE).flatten() == 1
        normal = torch.distributions.MultivariateNormal(means[:, seen].double(), covariance(factors)[seen][:, seen])
        expected = normal.log_prob(shown[place].flatten()[seen].double())
        torch.testing.assert_close(found[place] - found[place, 0], expected - expected[0], rtol=1e-3, atol=5e-2)


def test_what_holes_show_makes_no_difference() -> None:
    factors, shown, kept = Factors.fitted(pictures(), 10), pictures(7, seed=3), masks(7)
    torch.testing.assert_close(
        factors.coordinates(Release(shown, kept)), factors.coordinates(Release(shown * kept + 0.3 * (1 - kept), kept))
    )


def test_pictures_that_are_all_alike_tell_nothing() -> None:
    factors = Factors.fitted(torch.full((5, *SHAPE), 0.5), 10)
    assert factors.coordinates(Release(torch.full((2, *SHAPE), 0.5))).abs().max() == 0
