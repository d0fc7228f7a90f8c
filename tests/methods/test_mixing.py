"""Mixup and InstaHide: the weights, the pool, and the sign flip."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from maskbench import ContractViolation, Given, Method, Randomness, UsageError
from maskbench.methods.mixing import InstaHide, Mixing, Mixup, sorted_weights
from maskbench.release import to_bytes, to_float
from obfuscation_checks import SHAPES, check_release, depends_on_the_seed, fitted, owner, pictures
from scipy.stats import kstest

EDGES = [Mixup(), Mixup(k=6, pool=1), InstaHide(), InstaHide(k=2, upper=0.5), InstaHide(k=6, upper=1, pool=7)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", EDGES, ids=lambda method: method.label())
def test_the_release_keeps_its_contract(shape: tuple[int, int, int], method: Method) -> None:
    check_release(method, shape)


@pytest.mark.parametrize("method", [Mixup(), InstaHide()])
def test_partners_weights_and_signs_are_drawn_from_the_seed(method: Method) -> None:
    assert depends_on_the_seed(method)


@pytest.mark.parametrize("upper", [0.5, 0.65, 1.0])
@pytest.mark.parametrize("k", [2, 4, 6])
def test_weights_sum_to_one_and_the_own_is_the_largest(k: int, upper: float) -> None:
    weights = sorted_weights(Randomness(0, torch.arange(2000)).normal(k).abs(), upper)
    assert torch.allclose(weights.sum(dim=1), torch.ones(2000), atol=1e-6)
    assert bool((weights >= 0).all())
    assert bool((weights[:, :1] >= weights - 1e-6).all())
    assert float(weights.max()) <= upper
    assert bool((weights[:, 0] > 1 / k - 1e-6).all())


def test_the_weights_of_mixup_are_uniform_on_the_simplex() -> None:
    own = sorted_weights(Randomness(0, torch.arange(5000)).laplace(2).abs(), upper=1.0)[:, 0]
    # The larger part of a stick broken at a uniform place is uniform on [1/2, 1].
    assert kstest(own.numpy(), "uniform", args=(0.5, 0.5)).pvalue > 1e-3


def test_mixup_is_the_weighted_sum_of_the_image_and_its_partners() -> None:
    images = pictures(16, (3, 32, 32))
    method = fitted(Mixup(k=3, pool=10), pictures(40, (3, 32, 32), seed=1))
    released = method.desensitize(images, Given(Randomness(7, torch.arange(16)))).images
    rng = Randomness(7, torch.arange(16))
    weights = sorted_weights(rng.laplace(3).abs(), 0.99)
    partners = to_float(method.state["pool"])[rng.integers(10, 2)]
    everyone = torch.cat([images[:, None], partners], dim=1)
    assert torch.allclose(released, torch.einsum("nk,nkchw->nchw", weights, everyone), atol=1e-6)


@pytest.mark.parametrize("method", [Mixup(), InstaHide(k=2)])
def test_an_image_that_draws_itself_is_mixed_with_another(method: Mixing) -> None:
    images = pictures(2, (3, 28, 28))
    drawn = fitted(method, images).mixed(images, Given(Randomness(0, torch.arange(2))), torch.full((2, 2), 0.5))
    assert torch.allclose(drawn, images.mean(dim=0).expand_as(images), atol=1e-6)


def test_an_image_that_has_nothing_to_be_mixed_with_does_not_leave() -> None:
    images = pictures(1, (3, 28, 28))
    with pytest.raises(ContractViolation, match="as raw as it came in"):
        fitted(Mixup(k=4, pool=1), images).release(images, seed=0, numbers=torch.arange(1))


def test_no_image_outweighs_what_it_is_mixed_with_by_so_much_that_it_leaves_raw() -> None:
    images = pictures(2000, (1, 8, 8))
    method = fitted(Mixup(), images)
    released = method.release(images, seed=0, numbers=torch.arange(2000)).images
    assert bool((released != images).flatten(1).any(dim=1).all())


def test_the_pool_holds_images_of_the_party_that_fits_and_no_others() -> None:
    mine, theirs = pictures(30, (1, 28, 28), seed=1), pictures(30, (1, 28, 28), seed=2)
    pool = InstaHide(pool=12).fit(owner(mine))["pool"]
    assert pool.shape == (12, 1, 28, 28)
    assert bool((pool[:, None] == to_bytes(mine)[None]).flatten(2).all(dim=2).any(dim=1).all())
    assert not bool((pool[:, None] == to_bytes(theirs)[None]).flatten(2).all(dim=2).any())
    assert len(pool.flatten(1).unique(dim=0)) == 12
    assert not torch.equal(pool, InstaHide(pool=12).fit(owner(mine, seed=1))["pool"])
    assert len(InstaHide(pool=1000).fit(owner(mine))["pool"]) == 30


def test_the_sign_of_every_value_is_a_fair_coin() -> None:
    count = 50
    dark = torch.zeros(count, 3, 32, 32)
    method = fitted(InstaHide(), dark)  # black mixed with black: what is white was flipped
    released = method.release(dark, seed=3, numbers=torch.arange(count)).images
    assert bool(((released == 0) | (released == 1)).all())
    # Standard error of a share of n fair coins: 1 / (2 √n).
    assert abs(float(released.mean()) - 0.5) < 4 * 0.5 / released.numel() ** 0.5
    across = (2 * released[:, 0] - 1) * (2 * released[:, 1] - 1)
    assert abs(float(across.mean())) < 4 / across.numel() ** 0.5


def test_the_distance_from_mid_grey_survives_the_flip() -> None:
    """What the attack of 2011.05315 starts from: |x| of the mixture is in the release."""
    images = pictures(8, (3, 32, 32))
    method = fitted(InstaHide(k=4), pictures(40, (3, 32, 32), seed=1))
    released = method.desensitize(images, Given(Randomness(7, torch.arange(8)))).images
    rng = Randomness(7, torch.arange(8))
    weights = sorted_weights(rng.normal(4).abs(), 0.65)
    mixed = method.mixed(images, Given(rng), weights)
    assert torch.allclose((2 * released - 1).abs(), (2 * mixed - 1).abs(), atol=1e-6)
    assert not torch.equal(released, mixed)


@pytest.mark.parametrize("parameters", [{"k": 1}, {"pool": 0}, {"upper": 0.4}, {"upper": 1.1}])
def test_parameters_outside_their_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(parameters))):
        InstaHide.create(parameters)
