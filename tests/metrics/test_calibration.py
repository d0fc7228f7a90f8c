"""Answers are moved from the prior as far as they deserve, on cases whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench.metrics.calibration import (
    LEAST_SAMPLES,
    PER_BIAS,
    STEEPEST,
    Calibration,
    calibrate,
    evidence,
    held_out_posterior,
    mixed,
    mixture_weight,
)
from maskbench.metrics.leakage import advantage, bits, information, label_prior, of_pairs
from torch import Tensor
from torch.nn import functional as F


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(probabilities: list[float], count: int) -> Tensor:
    return torch.tensor(probabilities).double().log().expand(count, -1)


def drawn(probabilities: Tensor, seed: int = 0) -> Tensor:
    return torch.multinomial(probabilities, 1, generator=generator(seed)).squeeze(1)


def alone(answers: Tensor, reference: Tensor) -> Tensor:
    """The evidence of one attack: 1 × N × classes."""
    return evidence(answers, reference)[None]


def negative_log_likelihood(found: Tensor, labels: Tensor) -> float:
    return float(F.nll_loss(found, labels))


def test_an_attack_that_says_nothing_gets_the_prior_back() -> None:
    marginal, prior = rows([0.5, 0.3, 0.2], 400), rows([0.1, 0.2, 0.7], 400)
    labels = drawn(prior.exp())
    found = calibrate(alone(marginal, marginal), prior, labels)
    torch.testing.assert_close(found.posterior(alone(marginal, marginal), prior).exp(), prior.exp(), atol=0.06, rtol=0)


def of_release(shift: list[float], seed: int) -> tuple[Tensor, Tensor]:
    """Evidence of an attack that is off by the same for all pictures of a release, and the labels: 600 of 3 classes."""
    labels = drawn(rows([0.5, 0.3, 0.2], 600).exp(), seed)
    noise = torch.randn(600, 3, generator=generator(seed + 1)).double()
    return (2 * F.one_hot(labels, 3) + noise + torch.tensor(shift).double())[None], labels


def test_what_all_pictures_of_a_release_have_in_common_is_no_bias_of_another_one() -> None:
    prior = rows([0.5, 0.3, 0.2], 600)
    (own, labels), (other, others) = of_release([3.0, 0.0, -3.0], 0), of_release([-2.0, 2.0, 0.0], 5)
    fitted = calibrate(own, prior, labels)
    matched = fitted.matched(other, prior)
    as_fitted = negative_log_likelihood(fitted.posterior(other, prior), others)
    found = negative_log_likelihood(matched.posterior(other, prior), others)
    best = negative_log_likelihood(calibrate(other, prior, others).posterior(other, prior), others)
    assert as_fitted > negative_log_likelihood(prior, others)  # worse than without any picture
    assert found < best + 0.01
    torch.testing.assert_close(matched.posterior(other, prior).exp().mean(0), prior[0].exp(), atol=0.02, rtol=0)
    torch.testing.assert_close(fitted.matched(own, prior).bias, fitted.bias, atol=0.5, rtol=0)


def test_where_no_biases_were_fitted_none_are_matched() -> None:
    prior = rows([0.5, 0.3, 0.2], 12)
    evidence_, labels = of_release([3.0, 0.0, -3.0], 0)
    few = calibrate(evidence_[:, :12], prior, labels[:12])
    assert not bool(few.matched(evidence_, rows([0.5, 0.3, 0.2], 600)).bias.any())
    fitted = calibrate(evidence_, rows([0.5, 0.3, 0.2], 600), labels)
    assert fitted.matched(evidence_[:, :12], prior) is fitted


def test_noise_is_taken_for_noise() -> None:
    """Of confident nonsense next to nothing is left: guessing stays as good as the prior, and no bits are lost."""
    prior = rows([0.7, 0.2, 0.1], 1000)
    labels, fresh = drawn(prior.exp()), drawn(prior.exp(), 1)
    noise = (6 * torch.randn(2000, 3, generator=generator())).double().log_softmax(1)
    found = calibrate(alone(noise[:1000], prior), prior, labels)
    assert found.slopes[0] < 0.05
    believed = found.posterior(alone(noise[1000:], prior), prior)
    assert (believed.argmax(1) == fresh).double().mean() == pytest.approx(0.7, abs=0.04)
    assert information(believed, prior, fresh).mean() > -0.01


@pytest.mark.parametrize("true", [0.25, 1.0, 4.0, 10.0])
def test_the_slope_undoes_overconfidence(true: float) -> None:
    scores = 2 * torch.randn(4000, 5, generator=generator()).double()
    labels = drawn(scores.softmax(1))
    flat = rows([0.2] * 5, 4000)
    found = calibrate(alone((scores * true).log_softmax(1), flat), flat, labels)
    assert found.slopes[0] * true == pytest.approx(1.0, abs=0.1)
    again = calibrate(alone((scores * true).log_softmax(1), flat), flat, labels)
    assert found.slopes[0] == again.slopes[0] and torch.equal(found.bias, again.bias)


def test_the_bias_undoes_a_shift() -> None:
    """A classifier of other images that sees one class everywhere still ranks them; without the bias it is lost."""
    labels = torch.randint(3, (1000,), generator=generator())
    flat = rows([1 / 3] * 3, 1000)
    answers = (2.0 * F.one_hot(labels, 3) + torch.randn(1000, 3, generator=generator(1))).double()
    shifted = (answers + torch.tensor([0.0, 0.0, 9.0])).log_softmax(1)
    found = calibrate(alone(shifted[:500], flat[:500]), flat[:500], labels[:500])
    right = [
        float((guess.argmax(1) == labels[500:]).double().mean())
        for guess in (answers[500:], shifted[500:], found.posterior(alone(shifted[500:], flat[500:]), flat[500:]))
    ]
    assert right[1] < 0.4 < 0.8 < right[2]
    assert right[2] == pytest.approx(right[0], abs=0.03)


@pytest.mark.parametrize("count", [24, 39 * PER_BIAS])
def test_few_pictures_of_many_classes_carry_no_biases(count: int) -> None:
    """Forty people on a few pictures: what an attack tells of others is left as it was, order and all."""
    labels = torch.randint(40, (count + 2000,), generator=generator())
    flat = rows([1 / 40] * 40, count + 2000)
    answers = (3.0 * F.one_hot(labels, 40) + torch.randn(count + 2000, 40, generator=generator(1))).double()
    stated = alone(answers.log_softmax(1), flat)
    found = calibrate(stated[:, :count], flat[:count], labels[:count])
    assert found.bias.abs().max() == 0 and found.slopes[0] > 0
    guess = found.posterior(stated[:, count:], flat[count:]).argmax(1)
    torch.testing.assert_close(guess, answers[count:].argmax(1))


def test_enough_pictures_carry_biases() -> None:
    answers = torch.randn(3 * PER_BIAS + 5, 3, generator=generator()).double()
    flat = rows([1 / 3] * 3, len(answers))
    shifted = alone((answers + torch.tensor([0.0, 0.0, 5.0])).log_softmax(1), flat)
    assert calibrate(shifted, flat, answers.argmax(1)).bias.abs().max() > 0


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**16), scale=st.floats(1e-3, 1e3))
def test_it_is_bounded_and_never_worse_than_as_stated(seed: int, scale: float) -> None:
    answers = (scale * torch.randn(50, 4, generator=generator(seed))).double().log_softmax(1)
    labels = torch.randint(4, (50,), generator=generator(seed + 1))
    prior = rows([0.4, 0.3, 0.2, 0.1], 50)
    found = calibrate(alone(answers, prior), prior, labels)
    assert 0 <= found.slopes[0] <= STEEPEST and found.bias.isfinite().all()
    believed = found.posterior(alone(answers, prior), prior)
    torch.testing.assert_close(believed.exp().sum(1), torch.ones(50).double())
    assert negative_log_likelihood(believed, labels) <= negative_log_likelihood(answers, labels) + 1e-9


def test_few_pictures_calibrate_nothing() -> None:
    count = LEAST_SAMPLES - 1
    labels = torch.arange(count) % 2
    answers, flat = F.one_hot(labels, 2).double().log_softmax(1), rows([0.5, 0.5], count)
    assert calibrate(alone(answers, flat), flat, labels).slopes.tolist() == [1.0]
    assert mixture_weight(flat, flat, labels) == 1.0
    torch.testing.assert_close(held_out_posterior(alone(answers, flat), flat, labels), answers)


def test_what_is_compared_is_calibrated_from_the_same_number_on() -> None:
    """With one picture more each fold is fitted to 16, which is still calibrating."""
    labels = torch.arange(LEAST_SAMPLES) % 2
    answers, flat = (9.0 * F.one_hot(1 - labels, 2)).double().log_softmax(1), rows([0.5, 0.5], LEAST_SAMPLES)
    stated = alone(answers, flat)
    assert information(calibrate(stated, flat, labels).posterior(stated, flat), flat, labels).mean() > -0.01
    assert information(held_out_posterior(stated, flat, labels), flat, labels).mean() > -0.1


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
    found = calibrate(alone(lay(held)[1], held_prior), held_prior, sensitive[held])
    gained = information(found.posterior(alone(stated, prior), prior), prior, sensitive[scored]).mean()
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
    found = calibrate(alone(answers, flat), flat, sensitive).posterior(alone(answers, flat), flat)
    assert bits(information(found, flat, sensitive).mean()) == pytest.approx(1.0, abs=0.01)
    assert advantage((found.argmax(1) == sensitive).double().mean(), 0.5) == 1.0


def two_views(count: int, scales: tuple[float, float] = (1.5, 1.5)) -> tuple[Tensor, Tensor]:
    """Labels of four classes and two attacks, each of which sees them through noise of its own: 2 × N × 4."""
    labels = torch.randint(4, (count,), generator=generator())
    views = [
        scale * F.one_hot(labels, 4) + torch.randn(count, 4, generator=generator(1 + view))
        for view, scale in enumerate(scales)
    ]
    flat = rows([0.25] * 4, count)
    return torch.stack([evidence(view.double().log_softmax(1), flat) for view in views]), labels


def test_stacked_attacks_know_more_than_the_better_one() -> None:
    stated, labels = two_views(3000)
    flat = rows([0.25] * 4, 3000)
    learn, fresh = slice(0, 1000), slice(1000, None)

    def told(part: Tensor) -> float:
        found = calibrate(part[:, learn], flat[learn], labels[learn])
        return float(information(found.posterior(part[:, fresh], flat[fresh]), flat[fresh], labels[fresh]).mean())

    best = max(told(stated[:1]), told(stated[1:]))
    assert told(stated) > 1.4 * best


def test_a_useless_attack_takes_nothing_from_a_useful_one() -> None:
    stated, labels = two_views(2000, (3.0, 0.0))
    found = calibrate(10 * stated, rows([0.25] * 4, 2000), labels)
    assert found.slopes[1] < 0.02 * found.slopes[0]


def test_the_order_of_stacked_attacks_does_not_matter() -> None:
    stated, labels = two_views(500, (2.0, 0.5))
    flat = rows([0.25] * 4, 500)
    one, other = calibrate(stated, flat, labels), calibrate(stated.flip(0), flat, labels)
    torch.testing.assert_close(one.slopes, other.slopes.flip(0), atol=1e-3, rtol=0)


def test_a_dozen_attacks_that_tell_much_the_same_do_not_follow_the_noise_of_few_pictures() -> None:
    """Each sees one hidden score with noise of its own: their mean is best, whoever looked best by luck."""
    flat = rows([0.5, 0.5], 2000)
    lost: list[float] = []
    for seed in range(6):
        labels = drawn(flat.exp(), seed)
        hidden = (2 * labels - 1) * 0.8 + torch.randn(2000, generator=generator(seed + 10)).double()
        seen = hidden + 0.8 * torch.randn(12, 2000, generator=generator(seed + 20)).double()
        stated = torch.stack([-seen, seen], dim=2)
        found = calibrate(stated[:, :150], flat[:150], labels[:150]).posterior(stated, flat)[150:]
        best = calibrate(stated.mean(0, keepdim=True), flat, labels).posterior(stated.mean(0, keepdim=True), flat)[150:]
        told, possible = (float(information(each, flat[150:], labels[150:]).mean()) for each in (found, best))
        lost.append(1 - told / possible)
    assert sum(lost) / len(lost) < 0.05, lost


def test_attacks_are_compared_by_what_they_have_not_seen() -> None:
    """Ten attacks that say nothing: together they fit forty pictures well, and pictures held out not at all."""
    labels, flat = torch.arange(40) % 4, rows([0.25] * 4, 40)
    told: list[list[float]] = []
    for seed in range(10):
        noise = torch.randn(10, 40, 4, generator=generator(seed)).double()
        stated = torch.stack([evidence(each.log_softmax(1), flat) for each in noise])
        found = calibrate(stated, flat, labels).posterior(stated, flat), held_out_posterior(stated, flat, labels)
        told.append([float(information(guess, flat, labels).mean()) for guess in found])
    seen, held_out = torch.tensor(told).T
    assert seen.min() > 0.0
    assert seen.mean() > 0.02 > 0.0 > held_out.mean()


def test_what_is_held_out_does_not_touch_its_own_posterior() -> None:
    stated, labels = two_views(200)
    flat = rows([0.25] * 4, 200)
    before = held_out_posterior(stated, flat, labels)
    changed = labels.clone()
    changed[7] = (labels[7] + 1) % 4
    after = held_out_posterior(stated, flat, changed)
    torch.testing.assert_close(before[7], after[7])
    assert not torch.equal(before[8], after[8])


ROWS = torch.zeros(6, 3).double().log_softmax(1)
LABELS = torch.tensor([0, 0, 1, 2, 2, 2])


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: evidence(ROWS, ROWS[:2]), "log_reference"),
        (lambda: evidence(ROWS * math.nan, ROWS), "log_probabilities"),
        (lambda: calibrate(ROWS[None], ROWS * math.inf, LABELS), "log_prior"),
        (lambda: calibrate(ROWS[None], ROWS, LABELS + 1), "labels"),
        (lambda: calibrate(ROWS, ROWS, LABELS), "evidence"),
        (lambda: calibrate(ROWS[None, :2], ROWS, LABELS), "evidence"),
        (lambda: held_out_posterior(ROWS[None] * math.nan, ROWS, LABELS), "evidence"),
        (lambda: Calibration(torch.ones(1), torch.zeros(3)).posterior(ROWS[None] * math.nan, ROWS), "evidence"),
        (lambda: mixture_weight(ROWS, ROWS, LABELS + 1), "labels"),
    ],
)
def test_bad_input_is_refused_by_name(call, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        call()
