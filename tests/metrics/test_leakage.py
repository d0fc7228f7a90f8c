"""Priors, pairs, bits and advantage on cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maskbench.metrics.leakage import (
    advantage,
    bits,
    information,
    label_prior,
    of_pairs,
    utility,
)
from torch.nn import functional as F

SENSITIVE = torch.tensor([0, 0, 1, 2, 2, 2])
TARGET = torch.tensor([0, 0, 0, 1, 1, 0])


def draw(joint: torch.Tensor, n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw (sensitive, target) labels from a joint distribution (target, sensitive)."""
    pairs = torch.multinomial(joint.flatten(), n, True, generator=torch.Generator().manual_seed(seed))
    return pairs % joint.shape[1], pairs // joint.shape[1]


def test_label_prior_counts_by_hand() -> None:
    expected = torch.tensor([[2.0, 1.0, 1.0], [0.0, 0.0, 2.0]]).double() + 1 / 3
    expected = expected / expected.sum(1, keepdim=True)
    torch.testing.assert_close(label_prior(SENSITIVE, TARGET, 3, 2).exp(), expected)
    marginal = label_prior(SENSITIVE, None, 3, 2, smoothing=0.5).exp()
    torch.testing.assert_close(marginal, torch.tensor([[2.5, 1.5, 3.5]]).double() / 7.5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), n=st.integers(1, 40), smoothing=st.floats(0.01, 5))
def test_tables_are_distributions_without_impossible_labels(seed: int, n: int, smoothing: float) -> None:
    sensitive, target = draw(torch.rand(3, 4, generator=torch.Generator().manual_seed(seed)), n, seed)
    prior = label_prior(sensitive, target, 4, 3, smoothing)
    assert prior.isfinite().all()
    torch.testing.assert_close(prior.exp().sum(1), torch.ones(3).double())


def test_pairs_are_conditioned_by_the_rule_of_bayes() -> None:
    joint = torch.tensor([[0.3, 0.1, 0.0], [0.05, 0.15, 0.4]]).clamp(min=1e-6)  # target × sensitive
    logits = (joint.T.flatten() / joint.sum()).log().expand(2, -1)  # s · 2 + t
    given = of_pairs(logits + 5, torch.tensor([0, 1]), 2).exp()
    torch.testing.assert_close(given, (joint / joint.sum(1, keepdim=True)).double(), atol=1e-6, rtol=0)
    alone = of_pairs(logits, None, 2).exp()
    torch.testing.assert_close(alone, (joint.sum(0) / joint.sum()).double().expand(2, -1), atol=1e-6, rtol=0)


def test_pairs_tell_what_only_both_together_say() -> None:
    """The picture is s xor t: of s alone it says nothing, and Bayes' rule with P(t|s) does not find it either."""
    sensitive, target = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    seen = sensitive ^ target
    pairs = torch.zeros(4, 4).double()
    for s in range(2):
        for t in range(2):
            pairs[:, 2 * s + t] = torch.where(seen == s ^ t, 0.5, 1e-9).log()
    assert torch.equal(of_pairs(pairs, target, 2).argmax(1), sensitive)
    torch.testing.assert_close(of_pairs(pairs, None, 2).exp(), torch.full((4, 2), 0.5).double())


@pytest.mark.parametrize("shape", [(4, 5), (4,)])
def test_pairs_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="logits: expected"):
        of_pairs(torch.zeros(shape), None, 2)


def test_a_perfect_attacker_learns_the_conditional_entropy() -> None:
    joint = torch.tensor([[0.25, 0.25, 0.0, 0.0], [0.0, 0.0, 0.25, 0.25]])  # one bit is left once t is known
    sensitive, target = draw(joint, 4000)
    prior = joint.div(joint.sum(1, keepdim=True)).clamp(min=1e-12).log()
    sure = torch.log_softmax(50.0 * F.one_hot(sensitive, 4).double(), 1)
    assert bits(information(sure, prior[target].log_softmax(1), sensitive).mean()) == pytest.approx(1.0, abs=1e-3)


def test_bits_never_exceed_the_mutual_information_of_a_known_channel() -> None:
    """A binary symmetric channel leaks 1 − h(error) bits; wrong confidence can only lower the estimate."""
    generator = torch.Generator().manual_seed(0)
    n, error = 20000, 0.1
    sensitive = torch.randint(2, (n,), generator=generator)
    seen = torch.where(torch.rand(n, generator=generator) < error, 1 - sensitive, sensitive)
    prior = torch.full((n, 2), 0.5).log()
    leaked = 1 + error * math.log2(error) + (1 - error) * math.log2(1 - error)
    for confidence in (0.6, 0.9, 0.99):
        q = torch.where(F.one_hot(seen, 2) == 1, confidence, 1 - confidence).log()
        estimate = bits(information(q, prior, sensitive).mean().item())
        assert estimate <= leaked + 0.03, f"confidence {confidence}: {estimate} bits of {leaked}"
        if confidence == 1 - error:
            assert estimate == pytest.approx(leaked, abs=0.03)


def test_bits_are_floored_at_zero() -> None:
    assert bits(np.array([-0.5, 0.0, 0.25])).tolist() == [0.0, 0.0, 0.25]


def test_advantage_and_utility_by_hand() -> None:
    assert advantage([1.0, 0.6, 0.2, 0.0], 0.2) == pytest.approx([1.0, 0.5, 0.0, -0.25])
    assert math.isnan(advantage(0.9, 1.0))
    assert math.isnan(advantage(1.0, 1.0))
    assert utility([0.9, 0.5, 0.1], 0.5, 0.9) == pytest.approx([1.0, 0.0, -1.0])
    assert math.isnan(utility(0.7, 0.5, 0.5))
    assert math.isnan(utility(0.7, 0.5, 0.4))


def test_rounding_above_one_is_not_refused() -> None:
    assert advantage(1.0 + 1e-15, 0.5) == pytest.approx(1.0)


ROWS = torch.zeros(6, 3).log_softmax(1)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: label_prior(SENSITIVE, TARGET, 2, 2), "sensitive"),
        (lambda: label_prior(SENSITIVE, TARGET, 3, 1), "target"),
        (lambda: label_prior(SENSITIVE, TARGET[:2], 3, 2), "target"),
        (lambda: label_prior(SENSITIVE.float(), TARGET, 3, 2), "sensitive"),
        (lambda: label_prior(SENSITIVE, TARGET, 3, 2, smoothing=0.0), "smoothing"),
        (lambda: label_prior(SENSITIVE, TARGET, 3, 2, smoothing=math.nan), "smoothing"),
        (lambda: information(ROWS + 1, ROWS, SENSITIVE), "log_probabilities"),
        (lambda: information(ROWS, ROWS + 1, SENSITIVE), "log_prior_rows"),
        (lambda: information(ROWS, ROWS, SENSITIVE + 1), "sensitive"),
        (lambda: information(ROWS, ROWS[:2], SENSITIVE), "sensitive"),
        (lambda: advantage(1.2, 0.5), "accuracy"),
        (lambda: advantage(0.5, math.nan), "prior"),
        (lambda: utility(0.5, 0.5, -0.1), "raw_accuracy"),
    ],
)
def test_bad_input_is_refused_by_name(call, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        call()
