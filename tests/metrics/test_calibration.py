"""Answers are moved from the prior as far as they deserve, on cases whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from bench.metrics.calibration import LEAST_SAMPLES, STEEPEST, Calibration, calibrate, mixed, mixture_weight
from bench.metrics.leakage import advantage, bits, information, label_prior, of_pairs


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(probabilities: list[float], count: int) -> Tensor:
    return torch.tensor(probabilities).double().log().expand(count, -1)


def drawn(probabilities: Tensor, seed: int = 0) -> Tensor:
    return torch.multinomial(probabilities, 1, generator=generator(seed)).squeeze(1)


def negative_log_likelihood(found: Tensor, labels: Tensor) -> float:
    return float(F.nll_loss(found, labels))


def test_an_attack_that_says_nothing_gets_the_prior_back() -> None:
    marginal, prior = rows([0.5, 0.3, 0.2], 400), rows([0.1, 0.2, 0.7], 400)
    labels = drawn(prior.exp())
    found = calibrate(marginal, marginal, prior, labels)
    torch.testing.assert_close(found.posterior(marginal, marginal, prior).exp(), prior.exp(), atol=0.06, rtol=0)


def test_noise_is_taken_for_noise() -> None:
    """Of confident nonsense next to nothing is left: guessing stays as good as the prior, and no bits are lost."""
    prior = rows([0.7, 0.2, 0.1], 1000)
    labels, fresh = drawn(prior.exp()), drawn(prior.exp(), 1)
    noise = (6 * torch.randn(2000, 3, generator=generator())).double().log_softmax(1)
    found = calibrate(noise[:1000], prior, prior, labels)
    assert found.slope < 0.05
    believed = found.posterior(noise[1000:], prior, prior)
    assert (believed.argmax(1) == fresh).double().mean() == pytest.approx(0.7, abs=0.04)
    assert information(believed, prior, fresh).mean() > -0.01


@pytest.mark.parametrize("true", [0.25, 1.0, 4.0, 10.0])
def test_the_slope_undoes_overconfidence(true: float) -> None:
    scores = 2 * torch.randn(4000, 5, generator=generator()).double()
    labels = drawn(scores.softmax(1))
    flat = rows([0.2] * 5, 4000)
    found = calibrate((scores * true).log_softmax(1), flat, flat, labels)
    assert found.slope * true == pytest.approx(1.0, abs=0.1)
    again = calibrate((scores * true).log_softmax(1), flat, flat, labels)
    assert found.slope == again.slope and torch.equal(found.bias, again.bias)


def test_the_bias_undoes_a_shift() -> None:
    """A classifier of other images that sees one class everywhere still ranks them; without the bias it is lost."""
    labels = torch.randint(3, (1000,), generator=generator())
    flat = rows([1 / 3] * 3, 1000)
    answers = (2.0 * F.one_hot(labels, 3) + torch.randn(1000, 3, generator=generator(1))).double()
    shifted = (answers + torch.tensor([0.0, 0.0, 9.0])).log_softmax(1)
    found = calibrate(shifted[:500], flat[:500], flat[:500], labels[:500])
    right = [
        float((guess.argmax(1) == labels[500:]).double().mean())
        for guess in (answers[500:], shifted[500:], found.posterior(shifted[500:], flat[500:], flat[500:]))
    ]
    assert right[1] < 0.4 < 0.8 < right[2]
    assert right[2] == pytest.approx(right[0], abs=0.03)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**16), scale=st.floats(1e-3, 1e3))
def test_it_is_bounded_and_never_worse_than_as_stated(seed: int, scale: float) -> None:
    answers = (scale * torch.randn(50, 4, generator=generator(seed))).double().log_softmax(1)
    labels = torch.randint(4, (50,), generator=generator(seed + 1))
    prior = rows([0.4, 0.3, 0.2, 0.1], 50)
    found = calibrate(answers, prior, prior, labels)
    assert 0 <= found.slope <= STEEPEST and found.bias.isfinite().all()
    believed = found.posterior(answers, prior, prior)
    torch.testing.assert_close(believed.exp().sum(1), torch.ones(50).double())
    assert negative_log_likelihood(believed, labels) <= negative_log_likelihood(answers, labels) + 1e-9


def test_few_pictures_calibrate_nothing() -> None:
    count = LEAST_SAMPLES - 1
    labels = torch.arange(count) % 2
    answers, flat = F.one_hot(labels, 2).double().log_softmax(1), rows([0.5, 0.5], count)
    assert calibrate(answers, flat, flat, labels).slope == 1.0
    assert mixture_weight(flat, flat, labels) == 1.0


@pytest.mark.parametrize(("tasks", "pictures"), [(2, 1200), (20, 480), (100, 480), (100, 1200)])
def test_label_statistics_are_no_leak(tasks: int, pictures: int) -> None:
    """Pictures say nothing and the labels are independent: who knows that they are reads nothing off the images."""
    sensitive, target = (torch.randint(k, (pictures + 2000,), generator=generator(k)) for k in (5, tasks))
    own_s, own_t = sensitive[:pictures], target[:pictures]
    held, scored = slice(pictures, pictures + 300), slice(pictures + 300, None)
    conditional, marginal = label_prior(own_s, own_t, 5, tasks), label_prior(own_s, None, 5, 1)

    def lay(part: slice) -> tuple[Tensor, Tensor]:
        count = len(target[part])
        return conditional[target[part]], marginal.expand(count, -1)

    weight = mixture_weight(*lay(held), sensitive[held])
    prior, held_prior = mixed(*lay(scored), weight), mixed(*lay(held), weight)
    stated = lay(scored)[1]  # the marginal: the best that anyone can say of s
    found = calibrate(lay(held)[1], held_prior, held_prior, sensitive[held])
    gained = information(found.posterior(stated, prior, prior), prior, sensitive[scored]).mean()
    assert abs(gained) < 0.05  # with the counts alone as prior: 0.6 and 1.4 bits for 100 tasks


def test_the_prior_trusts_counts_that_deserve_it() -> None:
    target = torch.randint(2, (600,), generator=generator())
    sensitive = torch.where(torch.rand(600, generator=generator(1)) < 0.9, target, 1 - target)
    conditional, marginal = label_prior(sensitive, target, 2, 2)[target], rows([0.5, 0.5], 600)
    assert mixture_weight(conditional, marginal, sensitive) > 0.95
    torch.testing.assert_close(mixed(conditional, marginal, 1.0), conditional)
    torch.testing.assert_close(mixed(conditional, marginal, 0.0), marginal)


def test_a_told_attacker_gains_all_that_is_left() -> None:
    """s xor t on the picture: given t it says s, one bit beyond the prior."""
    sensitive, target = (torch.randint(2, (400,), generator=generator(seed)) for seed in (0, 1))
    pairs = torch.full((400, 4), 1e-6).double()
    for t in (0, 1):
        s = sensitive ^ target ^ t
        pairs[torch.arange(400), 2 * s + t] = 0.5
    answers, flat = of_pairs(pairs.log(), target, 2), rows([0.5, 0.5], 400)
    found = calibrate(answers, flat, flat, sensitive).posterior(answers, flat, flat)
    assert bits(information(found, flat, sensitive).mean()) == pytest.approx(1.0, abs=0.01)
    assert advantage((found.argmax(1) == sensitive).double().mean(), 0.5) == 1.0


ROWS = torch.zeros(6, 3).double().log_softmax(1)
LABELS = torch.tensor([0, 0, 1, 2, 2, 2])


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: calibrate(ROWS, ROWS[:2], ROWS, LABELS), "log_reference"),
        (lambda: calibrate(ROWS, ROWS, ROWS * math.inf, LABELS), "log_prior"),
        (lambda: calibrate(ROWS, ROWS, ROWS, LABELS + 1), "labels"),
        (lambda: Calibration(1.0, torch.zeros(3)).posterior(ROWS * math.nan, ROWS, ROWS), "log_probabilities"),
        (lambda: mixture_weight(ROWS, ROWS, LABELS + 1), "labels"),
    ],
)
def test_bad_input_is_refused_by_name(call, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        call()
