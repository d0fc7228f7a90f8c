"""What is known through Laplace noise: closed forms against quadrature, expectation propagation against sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from maskbench.worlds.laplace import Noisy, _tilted, propagated
from maskbench.worlds.world import World
from scipy.integrate import quad
from scipy.stats import laplace, norm
from test_gaussian import SIDE, block_means, drawn, optimum, surplus
from torch import Tensor

EDGE = 0.5 / 255


def likelihood(shown: float, value: float, scale: float) -> float:
    """Of a value with noise that was clipped to [0, 1]."""
    if shown < EDGE:
        return float(laplace.cdf(EDGE, value, scale))
    if shown > 1 - EDGE:
        return float(laplace.sf(1 - EDGE, value, scale))
    return float(laplace.pdf(shown, value, scale))


@pytest.mark.parametrize("scale", [0.05, 0.25])
@pytest.mark.parametrize("spread", [0.02, 0.2])
@pytest.mark.parametrize("shown", [0.0, 0.3, 0.55, 1.0])
def test_one_value_in_closed_form(shown: float, spread: float, scale: float) -> None:
    def mass(mean: float) -> float:
        def product(value: float) -> float:
            return float(norm.pdf(value, mean, spread)) * likelihood(shown, value, scale)

        kinks = sorted({mean, shown, EDGE, 1 - EDGE})
        return float(quad(product, mean - 9 * spread, mean + 9 * spread, points=kinks, limit=400, epsabs=1e-13)[0])

    def one(number: float) -> Tensor:
        return torch.tensor([[number]], dtype=torch.float64)

    side = torch.tensor([[-1 if shown == 0 else int(shown == 1)]])
    found = _tilted(one(shown), one(0.5), one(spread**2), torch.tensor([scale], dtype=torch.float64), side)
    step = 1e-3 * spread
    lower, middle, upper = (math.log(mass(0.5 + by)) for by in (-step, 0.0, step))
    assert found.log_mass.item() == pytest.approx(middle, abs=1e-7)
    assert found.slope.item() == pytest.approx((upper - lower) / (2 * step), abs=1e-3 / spread)
    assert found.curvature.item() == pytest.approx(-(upper - 2 * middle + lower) / step**2, abs=0.02 / spread**2)


def test_three_values_against_importance_sampling() -> None:
    generator = torch.Generator().manual_seed(0)
    factor = torch.tensor([[0.1, 0, 0], [0.08, 0.05, 0], [0.05, 0.03, 0.06]], dtype=torch.float64)
    scale = torch.tensor([0.25, 0.1, 0.2], dtype=torch.float64)
    shown = torch.tensor([[0.0, 0.4, 0.9], [0.7, 0.6, 1.0], [0.3, 0.5, 0.45]], dtype=torch.float64)
    expected = torch.full((3, 3), 0.5, dtype=torch.float64)
    samples = torch.randn(200_000, 3, generator=generator, dtype=torch.float64) @ factor.T
    log_mass, mean = propagated(shown, expected, factor @ factor.T, scale)
    for row in range(3):
        weights = np.ones(len(samples))
        for place in range(3):
            value, seen, width = samples[:, place].numpy() + 0.5, float(shown[row, place]), float(scale[place])
            if seen < EDGE:
                weights *= laplace.cdf(EDGE, value, width)
            elif seen > 1 - EDGE:
                weights *= laplace.sf(1 - EDGE, value, width)
            else:
                weights *= laplace.pdf(seen, value, width)
        assert log_mass[row].item() == pytest.approx(math.log(weights.mean()), abs=0.01)
        np.testing.assert_allclose(mean[row].numpy(), weights @ samples.numpy() / weights.sum(), atol=1e-3)


@pytest.mark.parametrize("scale", [0.1, 0.03])
def test_the_log_score_is_the_entropy(scale: float) -> None:
    world = World("gaussian-linear", SIDE, 0)
    pictures, sensitive, task = drawn(world, 1500)
    matrix = block_means(SIDE, 4)
    uniform = torch.rand(1500, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 0.5
    noise = -scale * uniform.sign() * torch.log1p(-2 * uniform.abs())
    values = ((pictures @ matrix.T + noise).clamp(0, 1) * 255).round() / 255
    answer = optimum(world.mixture, Noisy(values, matrix, torch.full((16,), scale).double()), task)
    assert abs(surplus(answer, sensitive)) < 3.5
    assert (answer.restored - pictures).square().mean() < (pictures - pictures.mean(0)).square().mean()
